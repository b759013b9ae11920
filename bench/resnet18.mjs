import { Network } from './network.mjs'

/**
 * ResNet-18 as used on CIFAR (He et al. 2016: 3×3 stem, no pooling in front, four stages of two basic blocks), `width`
 * channels in the first stage.
 */
export function resnet18(width = 32) {
  const net = new Network()
  const relu = (x) => net.add('Relu', [x])
  let x = relu(net.conv('image', 3, width, 3))
  let channels = width
  for (const [stage, factor] of [1, 2, 4, 8].entries())
    for (const block of [0, 1]) {
      const to = width * factor
      const stride = stage > 0 && block === 0 ? 2 : 1
      const inner = relu(net.conv(x, channels, to, 3, { stride }))
      const outer = net.conv(inner, to, to, 3)
      const skip = stride === 1 && channels === to ? x : net.conv(x, channels, to, 1, { stride })
      x = relu(net.add('Add', [outer, skip]))
      channels = to
    }
  const features = net.add('Flatten', [net.add('GlobalAveragePool', [x])])
  return net.encode('resnet18', net.linear(features, channels, 10))
}
