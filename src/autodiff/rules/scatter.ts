import { UsageError } from '../../errors.js'
import { intAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule, subgradient } from '../rule.js'
import type { Rule } from '../rule.js'

/** Zeros in the shape of `value`, at run time; `like` has their type. */
export function zerosLike(value: string, b: GradientBuilder, like = value): string {
  return b.add('Expand', [b.number(0, like), b.add('Shape', [value])])
}

const note =
  'max and min: equal ones share alike, as in PyTorch’s scatter_reduce; without a reduction every update of a place is taken for the last'

/** ScatterElements and ScatterND differ in how they address, and in nothing else. */
export const scatter: Readonly<Record<string, Rule>> = {
  ScatterElements: scattering('GatherElements', ['axis']),
  ScatterND: scattering('GatherND', []),
}

/** What one kind of scattering is made of: bound to the indices of a node. */
interface Addressing {
  readonly scatter: (data: string, updates: string, reduction: string) => string
  readonly gather: (data: string) => string
}

interface Operands extends Addressing {
  readonly data: string
  readonly updates: string
  readonly y: string
  readonly gradient: string
}

/** Gradients of the data and of the updates; each is made only when it is asked for. */
interface Derivatives {
  readonly data: () => string
  readonly updates: () => string
}

function scattering(gatherer: string, attributes: readonly string[]): Rule {
  return subgradient(
    note,
    rule((node, gradient, b) => {
      const [data, indices, updates] = node.inputs
      const shared = Object.fromEntries(attributes.map((name) => [name, intAttribute(node, name, 0)]))
      const operands: Operands = {
        data,
        updates,
        y: node.outputs[0],
        gradient,
        scatter: (into, values, reduction) => b.add(node.op, [into, indices, values], { ...shared, reduction }),
        gather: (from) => b.add(gatherer, [from, indices], shared),
      }
      const derivatives = derivativesOf(node, operands, b)
      return [
        b.isActive(data) ? derivatives.data() : undefined,
        undefined,
        b.isActive(updates) ? derivatives.updates() : undefined,
      ]
    }),
  )
}

function derivativesOf(node: Node, operands: Operands, b: GradientBuilder): Derivatives {
  const { gradient, gather, scatter: put, updates } = operands
  const reduction = stringAttribute(node, 'reduction', 'none')
  switch (reduction) {
    case 'none':
      return { data: () => put(gradient, zerosLike(updates, b), 'none'), updates: () => gather(gradient) }
    case 'add':
      return { data: () => gradient, updates: () => gather(gradient) }
    case 'mul':
      return productDerivatives(operands, b)
    case 'max':
    case 'min':
      return extremeDerivatives(operands, b)
    default:
      throw new UsageError(
        `${node.op} (node "${node.name}") with reduction "${reduction}" has no gradient rule; export the model without it`,
      )
  }
}

/**
 * Of each factor the product of the others, right when factors are 0: the product of those that are not is divided by the
 * factor, unless another one is 0.
 */
function productDerivatives(
  { data, updates, gradient, gather, scatter: put }: Operands,
  b: GradientBuilder,
): Derivatives {
  const isZero = (value: string): string => b.add('CastLike', [b.add('Equal', [value, b.number(0, data)]), data])
  const [zeroData, zeroUpdates] = [isZero(data), isZero(updates)]
  const factor = (value: string, zero: string): string => b.add('Add', [value, zero])
  const product = put(factor(data, zeroData), factor(updates, zeroUpdates), 'mul')
  const zeros = put(zeroData, zeroUpdates, 'add')
  const others = (product: string, zeros: string, value: string, zero: string): string => {
    const alone = b.add('Equal', [zeros, zero])
    return b.where(alone, b.add('Div', [product, factor(value, zero)]), data)
  }
  return {
    data: () => b.mul(gradient, others(product, zeros, data, zeroData)),
    updates: () => b.mul(gather(gradient), others(gather(product), gather(zeros), updates, zeroUpdates)),
  }
}

function extremeDerivatives(
  { data, updates, y, gradient, gather, scatter: put }: Operands,
  b: GradientBuilder,
): Derivatives {
  const equal = (value: string, result: string): string => b.add('CastLike', [b.add('Equal', [value, result]), data])
  const [wonData, wonUpdates] = [equal(data, y), equal(updates, gather(y))]
  const share = b.add('Div', [gradient, put(wonData, wonUpdates, 'add')])
  return { data: () => b.mul(share, wonData), updates: () => b.mul(gather(share), wonUpdates) }
}
