import { equationOf } from '../../onnx/einsum.js'
import type { Labels } from '../../onnx/einsum.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

interface Operand {
  readonly name: string
  /** Without the axes of size 1 that are stretched to another operand's. */
  readonly labels: Labels
  readonly stretched: readonly number[]
  /** As the equation has them. */
  readonly written: Labels
}

/**
 * The gradient of an operand is an Einsum of the output's gradient and the other operands, over the labels the operand
 * does not have; labels that it alone has are repeated along, and a diagonal is put back on the diagonal.
 */
export const einsum: Readonly<Record<string, Rule>> = {
  Einsum: rule((node, gradient, b) => {
    const equation = equationOf(
      node,
      node.inputs.map((name) => b.rank(name)),
    )
    const operands = operandsOf(node, equation.operands, b)
    const { output } = equation
    return operands.map((operand, place) => {
      if (!b.isActive(operand.name)) return undefined
      const others = operands.filter((_, at) => at !== place)
      const elsewhere = new Set([...output, ...others.flatMap(({ labels }) => labels)])
      const target = [...new Set(operand.labels)].filter((label) => elsewhere.has(label))
      return embed(contract(gradient, output, others, target, b), target, operand, b)
    })
  }),
}

function operandsOf(node: Node, labels: readonly Labels[], b: GradientBuilder): readonly Operand[] {
  const isBatch = (name: string, axis: number): boolean => axis === b.observed(name).batchAxis
  const wide = new Set(
    labels.flatMap((written, at) => {
      const name = node.inputs[at]
      return written.filter((_, axis) => b.dims(name)[axis] !== 1 || isBatch(name, axis))
    }),
  )
  return labels.map((written, at) => {
    const name = node.inputs[at]
    const stretched = [...written.keys()].filter(
      (axis) => wide.has(written[axis]) && b.dims(name)[axis] === 1 && !isBatch(name, axis),
    )
    return { name, written, stretched, labels: written.filter((_, axis) => !stretched.includes(axis)) }
  })
}

/** An Einsum of the gradient and the others, to labels of the operand that one of them has. */
function contract(
  gradient: string,
  output: Labels,
  others: readonly Operand[],
  target: Labels,
  b: GradientBuilder,
): string {
  if (others.length === 0 && target.join() === output.join()) return gradient
  const terms = [output, ...others.map(({ labels }) => labels)]
  const letters = [...new Set(terms.flat())]
  // Axes under an ellipsis have numbers so far.
  const spell = (labels: Labels): string =>
    labels.map((label) => String.fromCharCode('a'.charCodeAt(0) + letters.indexOf(label))).join('')
  const squeezed = others.map(({ name, stretched }) =>
    stretched.length === 0 ? name : b.add('Squeeze', [name, b.ints(stretched)]),
  )
  return b.add('Einsum', [gradient, ...squeezed], { equation: `${terms.map(spell).join()}->${spell(target)}` })
}

/** Gives back the axes that the contraction has not: those nobody else has, the stretched, the repeated. */
function embed(value: string, target: Labels, { name, written, stretched }: Operand, b: GradientBuilder): string {
  const axes = [...written.keys()]
  const repeated = axes.filter((axis) => written.indexOf(written[axis]) < axis && !stretched.includes(axis))
  const alone = axes.filter((axis) => !stretched.includes(axis) && !target.includes(written[axis]))
  const added = [...new Set([...stretched, ...repeated, ...alone])].sort((a, c) => a - c)
  const aligned = added.length === 0 ? value : b.add('Unsqueeze', [value, b.ints(added)])
  const onDiagonal = repeated.reduce((inner, axis) => {
    const same = diagonal(written.indexOf(written[axis]), axis, b.dims(name), b)
    return b.where(same, inner, name)
  }, aligned)
  return alone.length === 0 ? onDiagonal : b.expandLike(onDiagonal, name)
}

/** Whether the places on two axes are the same, for tensors of this shape. */
function diagonal(one: number, other: number, dims: readonly number[], b: GradientBuilder): string {
  const size = dims[one]
  const same = Uint8Array.from({ length: size * size }, (_, at) => Number(Math.floor(at / size) === at % size))
  return b.constant(
    'bool',
    dims.map((_, axis) => (axis === one || axis === other ? size : 1)),
    same,
  )
}
