import type { GraphBuilder } from '../onnx/builder.js'

/** The losses an attack can ascend, in the order of their codes in the graph's input `loss`. */
export const LOSSES = ['cross-entropy', 'margin', 'dlr', 'targeted-dlr', 'linear'] as const

export type HeadLoss = (typeof LOSSES)[number]

/** Names of the per-image inputs that select a loss: `label`, `loss` and `target` int64 [N], `direction` float32 [N, K]. */
export interface LossInputs {
  readonly label: string
  readonly loss: string
  readonly target: string
  readonly direction: string
}

interface Head {
  /** float32 [N, 1] */
  readonly value: string
  /** d value / d logits, float32 [N, K] */
  readonly gradient: string
}

/** What several losses share. */
interface Parts {
  readonly b: GraphBuilder
  readonly logits: string
  readonly inputs: LossInputs
  readonly classes: number
  /** int64 [N, 1] */
  readonly label: string
  /** Whether an image's loss is this one: bool [N, 1]. */
  readonly follows: (loss: HeadLoss) => string
}

/**
 * Writes every loss and its derivative with respect to the logits by hand, and selects per image; reverse mode starts
 * from the selected one. Differentiating through the selection instead would let the infinity of a loss that was not
 * selected in as 0·∞. Margin and both kinds of DLR are one formula of chosen classes, half the nodes of three: small
 * models feel each of them.
 *
 * With fewer than 3 classes DLR, and with fewer than 4 targeted DLR, has no denominator: the margin takes its place. So it
 * does for an image of which the model leaves no more classes possible: whatever is divided by infinity has no slope.
 *
 * @param logits float32 [N, K]
 * @param losses that are offered; `cross-entropy` alone needs no selection.
 * @returns names of the loss per image, float32 [N], to be ascended, and of its gradient, float32 [N, K].
 */
export function lossHead(
  b: GraphBuilder,
  logits: string,
  classes: number,
  inputs: LossInputs,
  losses: readonly HeadLoss[] = LOSSES,
): { readonly value: string; readonly gradient: string } {
  const selected = new Map<HeadLoss, string>()
  const follows = (loss: HeadLoss): string => {
    const known = selected.get(loss) ?? b.add('Equal', [column(b, inputs.loss), int64(b, LOSSES.indexOf(loss))])
    selected.set(loss, known)
    return known
  }
  const parts: Parts = { b, logits, inputs, classes, label: column(b, inputs.label), follows }
  const contrasts = losses.filter((loss): loss is Contrast => loss in CONTRASTS)
  const heads = [
    ...(contrasts.length > 0 ? [{ loss: contrasts[0], head: contrast(parts, contrasts) }] : []),
    ...(losses.includes('cross-entropy') ? [{ loss: 'cross-entropy' as const, head: crossEntropy(parts) }] : []),
    ...(losses.includes('linear') ? [{ loss: 'linear' as const, head: linear(parts) }] : []),
  ]
  const chosen = heads
    .slice(1)
    .reduce((otherwise, { loss, head }) => either(b, follows(loss), head, otherwise), heads[0].head)
  return { value: b.add('Reshape', [chosen.value, b.ints([-1])]), gradient: chosen.gradient }
}

/** −log softmax(z)[y]; LogSoftmax, never Log: its value is finite however sure the model is. */
function crossEntropy({ b, logits, label, classes }: Parts): Head {
  const logProbabilities = b.add('LogSoftmax', [logits], { axis: 1 })
  return {
    value: b.add('Neg', [b.add('GatherElements', [logProbabilities, label], { axis: 1 })]),
    gradient: b.add('Sub', [b.add('Exp', [logProbabilities]), weighed(b, [label], [[1]], classes)[0]]),
  }
}

/** w·z with w given per image. */
function linear({ b, logits, inputs }: Parts): Head {
  return {
    value: b.add('ReduceSum', [b.add('Mul', [inputs.direction, logits]), b.ints([1])], { keepdims: 1 }),
    gradient: inputs.direction,
  }
}

/** How far the losses that hold one class against the label's are the same: a difference, over another for some. */
interface ContrastForm {
  readonly against: 'rival' | 'target'
  /** The place, from 0, of the logit that is averaged with the third where the denominator takes them from the first. */
  readonly beside: number
  /** Fewest classes that have a denominator. */
  readonly fewest: number
}

/**
 * Margin (Carlini & Wagner 2017, f₆): max over i ≠ y of z_i, minus z_y. DLR (Croce & Hein 2020, eq. 6): the margin over
 * z_π1 − z_π3. Targeted DLR (eq. 7): z_t − z_y over z_π1 − (z_π3 + z_π4) / 2.
 */
const CONTRASTS = {
  margin: { against: 'rival', beside: 2, fewest: Infinity },
  dlr: { against: 'rival', beside: 2, fewest: 3 },
  'targeted-dlr': { against: 'target', beside: 3, fewest: 4 },
} as const satisfies Partial<Record<HeadLoss, ContrastForm>>

type Contrast = keyof typeof CONTRASTS

/** The greatest float32. */
const LARGEST = 2 ** 128 - 2 ** 104

/** Margin, DLR and targeted DLR, whichever an image's loss is; for other losses it is anything. */
function contrast(parts: Parts, losses: readonly Contrast[]): Head {
  const { b, inputs, classes, label, follows } = parts
  const places = ranked(parts, Math.min(classes, 4))
  const choose = (valueOf: (form: ContrastForm) => string): string =>
    losses.slice(1).reduce((otherwise, loss) => {
      const here = valueOf(CONTRASTS[loss])
      return here === otherwise ? here : b.add('Where', [follows(loss), here, otherwise])
    }, valueOf(CONTRASTS[losses[0]]))
  const rival = b.add('Where', [b.add('Equal', [places[0], label]), places[1], places[0]])
  const target = losses.includes('targeted-dlr') ? column(b, inputs.target) : rival
  const against = choose((form) => (form.against === 'target' ? target : rival))
  const ratios = losses.filter((loss) => classes >= CONTRASTS[loss].fewest)
  if (ratios.length === 0) {
    const [z, zLabel] = pick(parts, [against, label])
    return { value: b.add('Sub', [z, zLabel]), gradient: weighed(b, [against, label], [[1, -1]], classes)[0] }
  }
  const beside = choose((form) => places[Math.min(form.beside, places.length - 1)])
  const chosen = [against, label, places[0], places[2], beside]
  const [z, zLabel, first, third, other] = pick(parts, chosen)
  const difference = b.add('Sub', [z, zLabel])
  const twice = b.add('Add', [b.add('Sub', [first, third]), b.add('Sub', [first, other])])
  const weights = [
    [1, -1, 0, 0, 0],
    [0, 0, 1, -0.5, -0.5],
  ]
  const [numerator, denominator] = weighed(b, chosen, weights, classes)
  // n / (d + 1e−12) by the quotient rule.
  const size = b.add('Add', [b.add('Mul', [twice, b.scalar(0.5)]), b.scalar(1e-12)])
  const value = b.add('Div', [difference, size])
  const change = b.add('Sub', [numerator, b.add('Mul', [value, denominator])])
  const ratio = { value, gradient: b.add('Div', [change, size]) }
  const hasSlope = b.add('Less', [size, b.scalar(LARGEST)])
  const isSelected = (): string => ratios.map(follows).reduce((one, another) => b.add('Or', [one, another]))
  const isRatio = ratios.length === losses.length ? hasSlope : b.add('And', [isSelected(), hasSlope])
  return either(b, isRatio, ratio, { value: difference, gradient: numerator })
}

function either(b: GraphBuilder, condition: string, then: Head, otherwise: Head): Head {
  return {
    value: b.add('Where', [condition, then.value, otherwise.value]),
    gradient: b.add('Where', [condition, then.gradient, otherwise.gradient]),
  }
}

/** Places of the k largest logits, largest first, each int64 [N, 1]; of equal ones the first in order comes first. */
function ranked({ b, logits }: Parts, k: number): readonly string[] {
  const [, places] = b.addMany('TopK', [logits, b.ints([k])], 2, { axis: 1 })
  return b.addMany('Split', [places], k, { axis: 1, num_outputs: k })
}

/**
 * The logits at several places of each row, each [N, 1]. Picked, not weighted with ones and zeros: a class that the model
 * excludes (−∞) would make 0·∞ of it.
 */
function pick({ b, logits }: Parts, places: readonly string[]): readonly string[] {
  const together = b.add('GatherElements', [logits, b.add('Concat', places, { axis: 1 })], { axis: 1 })
  return b.addMany('Split', [together], places.length, { axis: 1, num_outputs: places.length })
}

/** Rows of zeros, [N, K], with a weight at each of the places: one for each list of weights. */
function weighed(
  b: GraphBuilder,
  places: readonly string[],
  weights: readonly (readonly number[])[],
  classes: number,
): readonly string[] {
  const depth = b.constant('int64', [], BigInt64Array.of(BigInt(classes)))
  const zeroOne = b.constant('float32', [2], Float32Array.of(0, 1))
  const oneHot = (value: string): string => b.add('OneHot', [value, depth, zeroOne], { axis: 1 })
  const flat = (value: string): string => b.add('Reshape', [value, b.ints([-1])])
  if (weights.length === 1 && weights[0].length === 1) return [oneHot(flat(places[0]))]
  const together = b.add('OneHot', [b.add('Concat', places, { axis: 1 }), depth, zeroOne], { axis: -1 })
  const matrix = b.constant('float32', [weights.length, places.length], Float32Array.from(weights.flat()))
  const rows = b.add('MatMul', [matrix, together])
  const parts =
    weights.length === 1 ? [rows] : b.addMany('Split', [rows], weights.length, { axis: 1, num_outputs: weights.length })
  return parts.map((part) => b.add('Squeeze', [part, b.ints([1])]))
}

function int64(b: GraphBuilder, value: number): string {
  return b.constant('int64', [1], BigInt64Array.of(BigInt(value)))
}

/** [N] → [N, 1] */
function column(b: GraphBuilder, value: string): string {
  return b.add('Unsqueeze', [value, b.ints([1])])
}
