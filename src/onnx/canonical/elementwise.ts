import { floatAttribute } from '../attributes.js'
import type { ElementType, Node, Tensor } from '../graph.js'
import type { Context, Upgrades } from './context.js'
import { toInput } from './edit.js'

/** A floating scalar for a new input. */
export function floatScalar(type: ElementType, value: number): Tensor {
  if (type === 'float64') return { type, dims: [], data: Float64Array.of(value) }
  return { type: 'float32', dims: [], data: Float32Array.of(value) }
}

/** Clip-11, Dropout-12: parameters became inputs. */
export const ELEMENTWISE: Upgrades = {
  Clip: [
    {
      since: 11,
      upgrade: (node, context) => floatToInput(floatToInput(node, 'min', 1, context), 'max', 2, context),
    },
  ],
  Dropout: [{ since: 12, upgrade: (node, context) => floatToInput(node, 'ratio', 1, context) }],
}

function floatToInput(node: Node, name: string, place: number, context: Context): Node {
  const value = floatAttribute(node, name)
  if (value === undefined) return node
  return toInput(node, name, place, floatScalar(context.floatTypeOf(node.inputs[0]), value), context)
}
