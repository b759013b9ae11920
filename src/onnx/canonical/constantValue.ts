import { floatAttribute, floatsAttribute, intsAttribute, stringAttribute, tensorAttribute } from '../attributes.js'
import type { Node, Tensor } from '../graph.js'
import { densify } from '../sparse.js'
import { int64Tensor } from '../tensor.js'

/** The value of a Constant node, in any of the forms the standard gives it; undefined when it has none we know. */
export function constantValue(node: Node): Tensor | undefined {
  const tensor = tensorAttribute(node, 'value')
  if (tensor) return tensor
  const float = floatAttribute(node, 'value_float')
  if (float !== undefined) return { type: 'float32', dims: [], data: Float32Array.of(float) }
  const floats = floatsAttribute(node, 'value_floats')
  if (floats) return { type: 'float32', dims: [floats.length], data: Float32Array.from(floats) }
  // Straight from the message: the whole range of int64 counts here.
  const int = node.attributes.get('value_int')
  if (int) return { type: 'int64', dims: [], data: BigInt64Array.of(int.i) }
  const ints = intsAttribute(node, 'value_ints')
  if (ints) return int64Tensor(ints)
  const text = stringAttribute(node, 'value_string')
  if (text !== undefined) return { type: 'string', dims: [], data: [text] }
  const texts = node.attributes.get('value_strings')?.strings.map((bytes) => new TextDecoder().decode(bytes))
  if (texts) return { type: 'string', dims: [texts.length], data: texts }
  const sparse = node.attributes.get('sparse_value')?.sparseTensor
  return sparse && densify(sparse, { name: 'the model', external: {} })
}
