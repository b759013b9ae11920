import { floatAttribute, floatsAttribute, intsAttribute, makeNode } from '../attributes.js'
import type { Node, Tensor } from '../graph.js'
import type { Context, Upgrades } from './context.js'
import { floatScalar } from './elementwise.js'

/** Part of onnxruntime until opset 9, of the standard never: the converter from Core ML wrote them. */
export const EXPERIMENTAL: Upgrades = {
  Affine: [
    {
      since: 10,
      upgrade: (node, context) => scaled(node, [scalar(node, 'alpha', 1), scalar(node, 'beta', 0)], context),
    },
  ],
  Crop: [{ since: 10, upgrade: cropped }],
  ImageScaler: [
    {
      since: 10,
      upgrade: (node, context) => {
        const bias = floatsAttribute(node, 'bias', [])
        const channels: Tensor = { type: 'float32', dims: [bias.length, 1, 1], data: Float32Array.from(bias) }
        return scaled(node, [scalar(node, 'scale', 1), channels], context)
      },
    },
  ],
  ScaledTanh: [
    {
      since: 10,
      upgrade: (node, context) => {
        const [from, to] = [context.fresh(`${node.outputs[0]}/inner`), context.fresh(`${node.outputs[0]}/tanh`)]
        const factor = (name: string): string => context.constant(`${node.outputs[0]}/${name}`, scalar(node, name, 1))
        return [
          makeNode('Mul', [node.inputs[0], factor('beta')], [from]),
          makeNode('Tanh', [from], [to]),
          makeNode('Mul', [to, factor('alpha')], node.outputs, {}, node.name),
        ]
      },
    },
  ],
}

function scalar(node: Node, name: string, fallback: number): Tensor {
  return floatScalar('float32', floatAttribute(node, name, fallback))
}

/** factor · x + shift */
function scaled(
  node: Node,
  [factor, shift]: readonly [factor: Tensor, shift: Tensor],
  context: Context,
): readonly Node[] {
  const [y] = node.outputs
  const product = context.fresh(`${y}/product`)
  return [
    makeNode('Mul', [node.inputs[0], context.constant(`${y}/factor`, factor)], [product]),
    makeNode('Add', [product, context.constant(`${y}/shift`, shift)], node.outputs, {}, node.name),
  ]
}

/** The rim that is cut off: left, top, right, bottom; or, where `scale` says how large the rest is, left and top alone. */
function cropped(node: Node, context: Context): readonly Node[] {
  const [left, top, right, bottom] = intsAttribute(node, 'border', [])
  const size = intsAttribute(node, 'scale')
  const ends = size ? [top + size[0], left + size[1]] : [bottom, right].map((rim) => (rim === 0 ? 2 ** 53 : -rim))
  const numbers = (name: string, values: readonly number[]): string =>
    context.constant(`${node.outputs[0]}/${name}`, {
      type: 'int64',
      dims: [2],
      data: BigInt64Array.from(values, BigInt),
    })
  const inputs = [node.inputs[0], numbers('from', [top, left]), numbers('to', ends), numbers('axes', [2, 3])]
  return [makeNode('Slice', inputs, node.outputs, {}, node.name)]
}
