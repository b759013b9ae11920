import { Network } from './network.mjs'

/** A ViT (Dosovitskiy et al. 2021) for CIFAR: 4 × 4 patches, `width` wide, `depth` blocks of `heads` heads, mean pooling, GELU from Erf as opset 17 has it. */
export function vit({ width = 192, depth = 6, heads = 3 } = {}) {
  const net = new Network()
  const tokens = 64
  const size = width / heads
  const dense = (x, from, to) =>
    net.add('Add', [net.add('MatMul', [x, net.weight([from, to], from)]), net.weight([to], to)])
  const norm = (x) => {
    // Not 1: gradients of norms that scale nothing take a pass less.
    const [scale, bias] = [1.1, 0].map((value) =>
      net.constant({ type: 'float32', dims: [width], data: new Float32Array(width).fill(value) }),
    )
    return net.add('LayerNormalization', [x, scale, bias], { axis: -1 })
  }
  const gelu = (x) => {
    const erf = net.add('Erf', [net.add('Div', [x, net.scalar(Math.SQRT2)])])
    return net.add('Mul', [net.add('Mul', [x, net.add('Add', [erf, net.scalar(1)])]), net.scalar(0.5)])
  }
  const split = (x, perm) =>
    net.add('Transpose', [net.add('Reshape', [x, net.ints([-1, tokens, heads, size])])], { perm })
  const attention = (x) => {
    const [q, k, v] = [
      [0, 2, 1, 3],
      [0, 2, 3, 1],
      [0, 2, 1, 3],
    ].map((perm) => split(dense(x, width, width), perm))
    const scores = net.add('Mul', [net.add('MatMul', [q, k]), net.scalar(1 / Math.sqrt(size))])
    const mixed = net.add('MatMul', [net.add('Softmax', [scores], { axis: -1 }), v])
    const merged = net.add('Reshape', [
      net.add('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
      net.ints([-1, tokens, width]),
    ])
    return dense(merged, width, width)
  }
  const patches = net.add('Conv', ['image', net.weight([width, 3, 4, 4]), net.weight([width])], {
    strides: [4, 4],
    kernel_shape: [4, 4],
  })
  const rows = net.add('Transpose', [net.add('Reshape', [patches, net.ints([-1, width, tokens])])], { perm: [0, 2, 1] })
  let x = net.add('Add', [rows, net.weight([1, tokens, width])])
  for (let block = 0; block < depth; block++) {
    x = net.add('Add', [x, attention(norm(x))])
    x = net.add('Add', [x, dense(gelu(dense(norm(x), width, 4 * width)), 4 * width, width)])
  }
  const pooled = net.add('ReduceMean', [norm(x)], { axes: [1], keepdims: 0 })
  return net.encode('vit', net.linear(pooled, width, 10))
}
