import { Network } from './network.mjs'

/** Blocks of MobileNet v3 small (Howard et al. 2019, table 2): kernel, expanded, out, squeeze-and-excite, HardSwish, stride. */
const BLOCKS = [
  [3, 16, 16, true, false, 2],
  [3, 72, 24, false, false, 2],
  [3, 88, 24, false, false, 1],
  [5, 96, 40, true, true, 1],
  [5, 240, 40, true, true, 1],
  [5, 240, 40, true, true, 1],
  [5, 120, 48, true, true, 1],
  [5, 144, 48, true, true, 1],
  [5, 288, 96, true, true, 2],
  [5, 576, 96, true, true, 1],
]

/** MobileNet v3 small on 32 × 32 pixels: the stem keeps the size, the rest is as published. */
export function mobilenetV3() {
  const net = new Network()
  const activation = (x, hard) => net.add(hard ? 'HardSwish' : 'Relu', [x])
  const excite = (x, channels) => {
    const squeezed = Math.ceil(channels / 32) * 8
    const inner = net.add('Relu', [net.conv(net.add('GlobalAveragePool', [x]), channels, squeezed, 1)])
    const gate = net.add('HardSigmoid', [net.conv(inner, squeezed, channels, 1)], {
      alpha: { float: 1 / 6 },
      beta: { float: 0.5 },
    })
    return net.add('Mul', [x, gate])
  }
  let x = activation(net.conv('image', 3, 16, 3), true)
  let channels = 16
  for (const [kernel, expanded, out, squeeze, hard, stride] of BLOCKS) {
    const wide = expanded === channels ? x : activation(net.conv(x, channels, expanded, 1), hard)
    const deep = activation(net.conv(wide, expanded, expanded, kernel, { stride, group: expanded }), hard)
    const narrow = net.conv(squeeze ? excite(deep, expanded) : deep, expanded, out, 1)
    x = stride === 1 && out === channels ? net.add('Add', [x, narrow]) : narrow
    channels = out
  }
  const last = activation(net.conv(x, channels, 576, 1), true)
  const features = net.add('Flatten', [net.add('GlobalAveragePool', [last])])
  const hidden = net.add('HardSwish', [net.linear(features, 576, 1024)])
  return net.encode('mobilenet-v3-small', net.linear(hidden, 1024, 10))
}
