import { floatAttribute, makeNode } from '../attributes.js'
import type { ElementType, Node, Tensor } from '../graph.js'
import type { Context, Upgrades } from './context.js'
import { toInput } from './edit.js'

/** A floating scalar for a new input. */
export function floatScalar(type: ElementType, value: number): Tensor {
  if (type === 'float64') return { type, dims: [], data: Float64Array.of(value) }
  return { type: 'float32', dims: [], data: Float32Array.of(value) }
}

/**
 * A Dropout that does not train lets everything through. What it says of that in its mask, before opset 12, onnxruntime
 * decided: nothing but zeros, of the data's own type before opset 10, and bool from there on.
 */
function zeroMask(node: Node, context: Context, zero: Tensor): readonly Node[] {
  const [output, mask = ''] = node.outputs
  if (mask === '') return [node]
  const shape = context.fresh(`${output}/shape`)
  return [
    { ...node, outputs: [output] },
    makeNode('Shape', [node.inputs[0]], [shape]),
    makeNode('ConstantOfShape', [shape], [mask], { value: { ...zero, dims: [1] } }),
  ]
}

/** Clip-11: its ends became inputs. Dropout-12: its ratio did, and it may train. */
export const ELEMENTWISE: Upgrades = {
  Clip: [
    {
      since: 11,
      upgrade: (node, context) => floatToInput(floatToInput(node, 'min', 1, context), 'max', 2, context),
    },
  ],
  Dropout: [
    {
      since: 10,
      upgrade: (node, context) => zeroMask(node, context, floatScalar(context.floatTypeOf(node.inputs[0]), 0)),
    },
    {
      since: 12,
      upgrade: (node, context) => {
        const bool: Tensor = { type: 'bool', dims: [], data: Uint8Array.of(0) }
        return zeroMask(floatToInput(node, 'ratio', 1, context), context, bool)
      },
    },
  ],
}

function floatToInput(node: Node, name: string, place: number, context: Context): Node {
  const value = floatAttribute(node, name)
  if (value === undefined) return node
  return toInput(node, name, place, floatScalar(context.floatTypeOf(node.inputs[0]), value), context)
}
