import { makeNode } from '../.build/onnx/attributes.js'
import { encodeModel } from '../.build/onnx/codec.js'

/** The same numbers on every run (Lehmer's generator), roughly normal. */
function normals(count, scale) {
  let state = 20151210
  const uniform = () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
  return Float32Array.from(
    { length: count },
    () => scale * (uniform() + uniform() + uniform() + uniform() - 2) * Math.sqrt(3),
  )
}

/**
 * ResNet-18 as used on CIFAR (He et al. 2016: 3×3 stem, no pooling in front, four stages of two basic blocks), `width`
 * channels in the first stage, batch normalisation folded into the convolutions as exporters do, random weights: speed
 * does not depend on them.
 */
export function resnet18(width = 32) {
  const nodes = []
  const constants = new Map()
  const weight = (name, dims) => {
    const fanIn = dims.slice(1).reduce((product, size) => product * size, 1)
    const count = dims.reduce((product, size) => product * size, 1)
    constants.set(name, { type: 'float32', dims, data: normals(count, Math.sqrt(1 / fanIn)) })
    return name
  }
  const conv = (input, output, from, to, kernel, stride) => {
    const pad = (kernel - 1) / 2
    const inputs = [input, weight(`${output}.w`, [to, from, kernel, kernel]), weight(`${output}.b`, [to])]
    const attributes = { kernel_shape: [kernel, kernel], strides: [stride, stride], pads: [pad, pad, pad, pad] }
    nodes.push(makeNode('Conv', inputs, [output], attributes, output))
    return output
  }
  const relu = (input) => {
    nodes.push(makeNode('Relu', [input], [`${input}.relu`], {}, `${input}.relu`))
    return `${input}.relu`
  }
  let x = relu(conv('image', 'stem', 3, width, 3, 1))
  let channels = width
  for (const [stage, factor] of [1, 2, 4, 8].entries())
    for (const block of [0, 1]) {
      const name = `stage${stage}.${block}`
      const to = width * factor
      const stride = stage > 0 && block === 0 ? 2 : 1
      const inner = relu(conv(x, `${name}.conv1`, channels, to, 3, stride))
      const outer = conv(inner, `${name}.conv2`, to, to, 3, 1)
      const skip = stride === 1 && channels === to ? x : conv(x, `${name}.skip`, channels, to, 1, stride)
      nodes.push(makeNode('Add', [outer, skip], [`${name}.sum`], {}, `${name}.sum`))
      x = relu(`${name}.sum`)
      channels = to
    }
  nodes.push(
    makeNode('GlobalAveragePool', [x], ['pooled'], {}, 'pooled'),
    makeNode('Flatten', ['pooled'], ['features'], {}, 'flatten'),
  )
  nodes.push(
    makeNode(
      'Gemm',
      ['features', weight('fc.w', [10, channels]), weight('fc.b', [10])],
      ['logits'],
      { transB: 1 },
      'fc',
    ),
  )
  return encodeModel({
    name: 'resnet18',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'image', type: 'float32', dims: ['batch', 3, 32, 32] }],
    outputs: [{ name: 'logits', type: 'float32', dims: ['batch', 10] }],
    nodes,
    constants,
  })
}
