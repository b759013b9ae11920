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

/** Places of one class in each image's row, int64 [N, 1], and as one-hot rows, float32 [N, K]. */
interface Chosen {
  readonly places: string
  readonly rows: string
}

/** What several losses share. */
interface Parts {
  readonly b: GraphBuilder
  readonly logits: string
  readonly label: Chosen
  /** The best class besides the label. */
  readonly rival: () => Chosen
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
  const label = choose(b, column(b, inputs.label), classes)
  let known: Chosen | undefined
  const rival = (): Chosen => {
    const others = b.add('Where', [b.add('Cast', [label.rows], { to: BOOL }), b.scalar(LOWEST), logits])
    known ??= choose(b, b.add('ArgMax', [others], { axis: 1, keepdims: 1 }), classes)
    return known
  }
  const parts: Parts = { b, logits, label, rival, inputs, classes }
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
/** Below every finite logit. */
const LOWEST = -3.4028234663852886e38

const HEADS: Readonly<Record<HeadLoss, (parts: Parts) => Head>> = {
  /** −log softmax(z)[y]; LogSoftmax, never Log: its value is finite however sure the model is. */
  'cross-entropy': ({ b, logits, label }) => {
    const logProbabilities = b.add('LogSoftmax', [logits], { axis: 1 })
    return {
      value: b.add('Neg', [pick(b, logProbabilities, label)]),
      gradient: b.add('Sub', [b.add('Exp', [logProbabilities]), label.rows]),
    }
  },

  /** max over i ≠ y of z_i, minus z_y (Carlini & Wagner 2017, f₆). */
  margin: (parts) => difference(parts, parts.rival(), parts.label),

  /** Difference of logits ratio (Croce & Hein 2020, eq. 6): the margin over z_π1 − z_π3. */
  dlr: (parts) => {
    if (parts.classes < 3) return HEADS.margin(parts)
    const [first, , third] = ranked(parts, 3)
    return ratio(parts, HEADS.margin(parts), difference(parts, first, third))
  },

  /** Targeted DLR (Croce & Hein 2020, eq. 7): z_t − z_y over z_π1 − (z_π3 + z_π4) / 2. */
  'targeted-dlr': (parts) => {
    const { b, classes, inputs } = parts
    const towards = difference(parts, choose(b, column(b, inputs.target), classes), parts.label)
    if (classes < 4) return towards
    const [first, , third, fourth] = ranked(parts, 4)
    const halves = [difference(parts, first, third), difference(parts, first, fourth)]
    const mean = (what: keyof Head): string =>
      b.add('Mul', [
        b.add(
          'Add',
          halves.map((half) => half[what]),
        ),
        b.scalar(0.5),
      ])
    return ratio(parts, towards, { value: mean('value'), gradient: mean('gradient') })
  },

  /** w·z with w given per image. */
  linear: ({ b, logits, inputs }) => ({
    value: b.add('ReduceSum', [b.add('Mul', [inputs.direction, logits]), b.ints([1])], { keepdims: 1 }),
    gradient: inputs.direction,
  }),
}

/** z_i − z_j. Picked, not weighted with ones and zeros: a class that the model excludes (−∞) would make 0·∞ of it. */
function difference({ b, logits }: Parts, of: Chosen, other: Chosen): Head {
  return {
    value: b.add('Sub', [pick(b, logits, of), pick(b, logits, other)]),
    gradient: b.add('Sub', [of.rows, other.rows]),
  }
}

/** n / (d + 1e−12) by the quotient rule. */
function ratio({ b }: Parts, numerator: Head, denominator: Head): Head {
  const size = b.add('Add', [denominator.value, b.scalar(1e-12)])
  const value = b.add('Div', [numerator.value, size])
  const change = b.add('Sub', [numerator.gradient, b.add('Mul', [value, denominator.gradient])])
  return { value, gradient: b.add('Div', [change, size]) }
}

/** The k largest logits, largest first. */
function ranked({ b, logits, classes }: Parts, k: number): readonly Chosen[] {
  const [, places] = b.addMany('TopK', [logits, b.ints([k])], 2, { axis: 1 })
  return Array.from({ length: k }, (_, rank) =>
    choose(b, b.add('Slice', [places, b.ints([rank]), b.ints([rank + 1]), b.ints([1])]), classes),
  )
}

/** float32 [N, K] at one place of each row: [N, 1] */
function pick(b: GraphBuilder, values: string, { places }: Chosen): string {
  return b.add('GatherElements', [values, places], { axis: 1 })
}

function choose(b: GraphBuilder, places: string, classes: number): Chosen {
  const depth = b.constant('int64', [], BigInt64Array.of(BigInt(classes)))
  const flat = b.add('Reshape', [places, b.ints([-1])])
  return {
    places,
    rows: b.add('OneHot', [flat, depth, b.constant('float32', [2], Float32Array.of(0, 1))], { axis: 1 }),
  }
}

/** [N] → [N, 1] */
function column(b: GraphBuilder, value: string): string {
  return b.add('Unsqueeze', [value, b.ints([1])])
}
