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
  /** One-hot rows, [N, K]: the label; the best class besides it. */
  readonly label: string
  readonly rival: string
  readonly inputs: LossInputs
  readonly classes: number
}

/**
 * Writes every loss and its derivative with respect to the logits by hand, and selects per image; reverse mode starts
 * from the selected one. Differentiating through the selection instead would let the infinity of a loss that was not
 * selected in as 0·∞.
 *
 * With fewer than 3 classes DLR, and with fewer than 4 targeted DLR, has no denominator: the margin takes its place.
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
  const label = oneHot(b, inputs.label, classes)
  const others = b.add('Where', [b.add('Cast', [label], { to: BOOL }), b.scalar(LOWEST), logits])
  const rival = (): string => oneHot(b, b.add('ArgMax', [others], { axis: 1, keepdims: 0 }), classes)
  const needsRival = losses.some((loss) => loss === 'margin' || loss.endsWith('dlr'))
  const parts: Parts = { b, logits, label, rival: needsRival ? rival() : '', inputs, classes }
  const heads = losses.map((loss) => ({ code: LOSSES.indexOf(loss), head: HEADS[loss](parts) }))
  const chosen = heads.slice(1).reduce((otherwise, { code, head }) => {
    const here = b.add('Equal', [column(b, inputs.loss), b.constant('int64', [1], BigInt64Array.of(BigInt(code)))])
    return {
      value: b.add('Where', [here, head.value, otherwise.value]),
      gradient: b.add('Where', [here, head.gradient, otherwise.gradient]),
    }
  }, heads[0].head)
  return { value: b.add('Reshape', [chosen.value, b.ints([-1])]), gradient: chosen.gradient }
}

const BOOL = 9
/** Below every finite logit; −∞ would make 0·∞ where it is weighted. */
const LOWEST = -3.4028234663852886e38

const HEADS: Readonly<Record<HeadLoss, (parts: Parts) => Head>> = {
  /** −log softmax(z)[y]; LogSoftmax, never Log: its value is finite however sure the model is. */
  'cross-entropy': ({ b, logits, label }) => {
    const logProbabilities = b.add('LogSoftmax', [logits], { axis: 1 })
    return {
      value: b.add('Neg', [dot(b, label, logProbabilities)]),
      gradient: b.add('Sub', [b.add('Exp', [logProbabilities]), label]),
    }
  },

  /** max over i ≠ y of z_i, minus z_y (Carlini & Wagner 2017, f₆). */
  margin: ({ b, logits, label, rival }) => {
    const gradient = b.add('Sub', [rival, label])
    return { value: dot(b, gradient, logits), gradient }
  },

  /** Difference of logits ratio (Croce & Hein 2020, eq. 6): the margin over z_π1 − z_π3. */
  dlr: (parts) => {
    if (parts.classes < 3) return HEADS.margin(parts)
    const { b, rival, label } = parts
    const [first, , third] = ranked(parts, 3)
    return ratio(parts, b.add('Sub', [rival, label]), b.add('Sub', [first, third]))
  },

  /** Targeted DLR (Croce & Hein 2020, eq. 7): z_t − z_y over z_π1 − (z_π3 + z_π4) / 2. */
  'targeted-dlr': (parts) => {
    const { b, label, classes, inputs } = parts
    const towards = b.add('Sub', [oneHot(b, inputs.target, classes), label])
    if (classes < 4) return { value: dot(b, towards, parts.logits), gradient: towards }
    const [first, , third, fourth] = ranked(parts, 4)
    const half = b.add('Mul', [b.add('Add', [third, fourth]), b.scalar(0.5)])
    return ratio(parts, towards, b.add('Sub', [first, half]))
  },

  /** w·z with w given per image. */
  linear: ({ b, logits, inputs }) => ({ value: dot(b, inputs.direction, logits), gradient: inputs.direction }),
}

/** (n·z) / (d·z + 1e−12) for one-hot combinations n and d, and its gradient by the quotient rule. */
function ratio({ b, logits }: Parts, numerator: string, denominator: string): Head {
  const size = b.add('Add', [dot(b, denominator, logits), b.scalar(1e-12)])
  const value = b.add('Div', [dot(b, numerator, logits), size])
  const gradient = b.add('Div', [b.add('Sub', [numerator, b.add('Mul', [value, denominator])]), size])
  return { value, gradient }
}

/** One-hot rows of the k largest logits, largest first. */
function ranked({ b, logits, classes }: Parts, k: number): readonly string[] {
  const [, places] = b.addMany('TopK', [logits, b.ints([k])], 2, { axis: 1 })
  return Array.from({ length: k }, (_, rank) => {
    const place = b.add('Gather', [places, b.constant('int64', [], BigInt64Array.of(BigInt(rank)))], { axis: 1 })
    return oneHot(b, place, classes)
  })
}

/** int64 [N] → float32 [N, K] */
function oneHot(b: GraphBuilder, indices: string, classes: number): string {
  const depth = b.constant('int64', [], BigInt64Array.of(BigInt(classes)))
  return b.add('OneHot', [indices, depth, b.constant('float32', [2], Float32Array.of(0, 1))], { axis: 1 })
}

/** Σ over classes, [N, K] × [N, K] → [N, 1] */
function dot(b: GraphBuilder, a: string, c: string): string {
  return b.add('ReduceSum', [b.add('Mul', [a, c]), b.ints([1])], { keepdims: 1 })
}

/** [N] → [N, 1] */
function column(b: GraphBuilder, value: string): string {
  return b.add('Unsqueeze', [value, b.ints([1])])
}
