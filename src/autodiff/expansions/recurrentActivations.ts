import { UsageError } from '../../errors.js'
import { describe, floatAttribute, floatsAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'

export type Activation = (x: string) => string

interface ActivationKind {
  /** Left out: it takes none. */
  readonly alpha?: number
  readonly beta?: number
  readonly apply: (x: string, alpha: number, beta: number, b: GradientBuilder, like: string) => string
}

const plain = (op: string): ActivationKind => ({ apply: (x, _alpha, _beta, b) => b.add(op, [x]) })
const withAlpha = (op: string, alpha: number): ActivationKind => ({
  alpha,
  apply: (x, value, _beta, b) => b.add(op, [x], { alpha: { float: value } }),
})

/** By their names in lower case, as onnxruntime compares them, and with its defaults. */
const ACTIVATIONS: Readonly<Record<string, ActivationKind>> = {
  relu: plain('Relu'),
  sigmoid: plain('Sigmoid'),
  softplus: plain('Softplus'),
  softsign: plain('Softsign'),
  tanh: plain('Tanh'),
  elu: withAlpha('Elu', 1),
  leakyrelu: withAlpha('LeakyRelu', 0.01),
  thresholdedrelu: withAlpha('ThresholdedRelu', 0),
  affine: {
    alpha: 0,
    beta: 0,
    apply: (x, alpha, beta, b, like) => b.add('Add', [b.mul(x, b.number(alpha, like)), b.number(beta, like)]),
  },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    apply: (x, alpha, beta, b) => b.add('HardSigmoid', [x], { alpha: { float: alpha }, beta: { float: beta } }),
  },
  scaledtanh: {
    alpha: 0,
    beta: 0,
    apply: (x, alpha, beta, b, like) => b.mul(b.number(alpha, like), b.add('Tanh', [b.mul(x, b.number(beta, like))])),
  },
}

/** Of an LSTM's activations the one of its memory, which onnxruntime does not clip, whatever the standard says. */
const OF_MEMORY = 2

/**
 * The activations of a recurrent operator, one list per direction, its input clipped first where the node says so.
 *
 * @param defaults of one direction.
 */
export function activationsOf(
  node: Node,
  directions: number,
  defaults: readonly string[],
  b: GradientBuilder,
): readonly (readonly Activation[])[] {
  const given = node.attributes.get('activations')?.strings.map((bytes) => new TextDecoder().decode(bytes)) ?? []
  const names = given.length > 0 ? given : Array.from({ length: directions }, () => defaults).flat()
  // Those that take an alpha or beta take the next one of the list.
  const alphas = floatsAttribute(node, 'activation_alpha', []).values()
  const betas = floatsAttribute(node, 'activation_beta', []).values()
  const clip = floatAttribute(node, 'clip')
  const [like] = node.inputs
  const activations = names.map((name, place): Activation => {
    const kind = ACTIVATIONS[name.toLowerCase()]
    if (kind === undefined)
      throw new UsageError(
        `${describe(node)} has the activation ${name}, which has no gradient rule; export it with another`,
      )
    const alpha = kind.alpha === undefined ? 0 : (alphas.next().value ?? kind.alpha)
    const beta = kind.beta === undefined ? 0 : (betas.next().value ?? kind.beta)
    const ofMemory = place % defaults.length === OF_MEMORY
    const clipped = (x: string): string =>
      clip === undefined || ofMemory ? x : b.add('Clip', [x, b.number(-clip, like), b.number(clip, like)])
    return (x) => kind.apply(clipped(x), alpha, beta, b, like)
  })
  return Array.from({ length: directions }, (_, direction) =>
    activations.slice(direction * defaults.length, (direction + 1) * defaults.length),
  )
}
