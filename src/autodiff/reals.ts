import { dataType, elementType } from '../onnx/tensor.js'
import { intAttribute } from '../onnx/attributes.js'
import type { Node } from '../onnx/graph.js'
import type { GradientBuilder } from './gradientBuilder.js'

/** Operators all of whose numbers are of one type; of others an int32 or int64 operand may be an index. */
const UNIFORM: ReadonlySet<string> = new Set(
  'Add Clip Concat Div Equal Greater GreaterOrEqual Less LessOrEqual Max Min Mul Pow PRelu Sub Sum Where'.split(' '),
)

const NARROW: ReadonlySet<string> = new Set(['int8', 'uint8', 'int16', 'uint16'])

/**
 * A node between quantised operators as the surrogate has it, where their whole numbers are floats: its other operands of
 * that type become floats too, and a cast from whole numbers to whole numbers does nothing.
 *
 * @param node as the model has it.
 * @param here the same with what replaces its inputs.
 */
export function onReals(node: Node, here: Node, b: GradientBuilder): Node {
  const whole = node.inputs.find((name) => b.isActive(name) && b.typeOf(name)?.includes('int'))
  if (whole === undefined) return here
  if (node.op === 'Cast' && elementType(intAttribute(node, 'to', 0))?.includes('int'))
    return { ...here, op: 'Identity', attributes: new Map() }
  const { type } = b.observed(whole)
  if (!NARROW.has(type) && !UNIFORM.has(node.op)) return here
  const inputs = here.inputs.map((name, place) => {
    const before = node.inputs[place]
    const left = before !== '' && !b.isActive(before) && b.observed(before).type === type
    return left ? b.add('Cast', [name], { to: dataType('float32') }) : name
  })
  return { ...here, inputs }
}
