import { attribute, intAttribute, intsAttribute } from '../attributes.js'
import type { Node, Tensor } from '../graph.js'
import { int64Tensor } from '../tensor.js'
import type { Context } from './context.js'

/** The node without these attributes. */
export function without(node: Node, ...names: readonly string[]): Node {
  return { ...node, attributes: new Map([...node.attributes].filter(([name]) => !names.includes(name))) }
}

/** The node with an INT or STRING attribute set. */
export function withAttribute(node: Node, name: string, value: number | string): Node {
  const proto = typeof value === 'number' ? attribute.int(name, value) : attribute.string(name, value)
  return { ...node, attributes: new Map(node.attributes).set(name, proto) }
}

/** The node with input `place` set; inputs before it that are not there are left out (''). */
export function withInput(node: Node, place: number, name: string): Node {
  const inputs = [...node.inputs]
  while (inputs.length < place) inputs.push('')
  inputs[place] = name
  return { ...node, inputs }
}

/** Turns an INTS attribute into a 1-D int64 constant at input `place`; without the attribute there is no input. */
export function intsToInput(node: Node, name: string, place: number, context: Context): Node {
  const values = intsAttribute(node, name)
  return values === undefined ? node : toInput(node, name, place, int64Tensor(values), context)
}

/** Turns an INT attribute into an int64 constant at input `place`: of shape [1], or a scalar for `dims` []. */
export function intToInput(
  node: Node,
  name: string,
  place: number,
  context: Context,
  dims: readonly number[] = [1],
): Node {
  const value = intAttribute(node, name)
  return value === undefined ? node : toInput(node, name, place, int64Tensor([value], dims), context)
}

/** Replaces an attribute by a constant at input `place`. */
export function toInput(node: Node, name: string, place: number, value: Tensor, context: Context): Node {
  return withInput(without(node, name), place, context.constant(`${node.outputs[0]}/${name}`, value))
}
