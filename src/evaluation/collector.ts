import type { ImageTask, Reply, SampleOutcome } from '../engine/messages.js'
import type { Dataset } from '../data/types.js'
import type { Expected } from './checkOutcome.js'
import { contradiction } from './checkOutcome.js'

export type OutcomeReply = Extract<Reply, { type: 'outcome' }>

/** A point inside the ball that fools the model. */
export interface Witness {
  readonly threat: string
  readonly index: number
  readonly label: number
  /** By the model at `pixels`. */
  readonly predicted: number
  /** float32 [product(shape)], in the dataset's range and layout. */
  readonly pixels: Float32Array
}

/** Hands images out, each once, and takes their outcomes in. */
export class Collector {
  readonly #dataset: Dataset
  readonly #images: readonly number[]
  readonly #diagnosed: ReadonlySet<number>
  readonly #size: number
  #next = 0
  readonly #outcomes: SampleOutcome[] = []
  forwards = 0
  gradients = 0

  /** @param images indices in order, undefined: all; of them those that are looked at more closely, undefined: none */
  constructor(
    dataset: Dataset,
    {
      images = Array.from({ length: dataset.samples }, (_, index) => index),
      diagnosed = new Set(),
    }: { readonly images?: readonly number[]; readonly diagnosed?: ReadonlySet<number> } = {},
  ) {
    this.#dataset = dataset
    this.#images = images
    this.#diagnosed = diagnosed
    this.#size = dataset.shape.reduce((product, length) => product * length, 1)
  }

  get total(): number {
    return this.#images.length
  }

  get handedOut(): number {
    return this.#next
  }

  get done(): number {
    return this.#outcomes.length
  }

  /** The next images in order, at most `count`; none when all are handed out. */
  take(count: number): ImageTask[] {
    const end = Math.min(this.total, this.#next + Math.max(0, count))
    const images: ImageTask[] = []
    for (; this.#next < end; this.#next++) {
      const index = this.#images[this.#next]
      const from = index * this.#size
      const pixels = this.#dataset.pixels.subarray(from, from + this.#size)
      const diagnose = this.#diagnosed.has(index)
      images.push({ index, label: this.#dataset.labels[index], pixels, ...(diagnose && { diagnose }) })
    }
    return images
  }

  /**
   * @param waiting indices that were handed to the child that says this; the one answered is removed
   * @returns what in the reply cannot be, or nothing
   */
  accept(reply: OutcomeReply, waiting: Set<number>, expected: Expected): string | undefined {
    const { outcome, witnesses, forwards, gradients } = reply
    const { index } = outcome
    if (!waiting.delete(index)) return `image ${index} was not asked for, or is answered already`
    const problem =
      contradiction(outcome, this.#dataset.labels[index], expected) ?? this.#badWitness(outcome, witnesses)
    if (problem !== undefined) return `image ${index}: ${problem}`
    this.#outcomes.push({ ...inOrder(outcome, expected), ...this.#seen(outcome) })
    this.forwards += forwards
    this.gradients += gradients
    return undefined
  }

  /** Ascending by index: nothing tells any more which child answered, or when. */
  outcomes(): SampleOutcome[] {
    return this.#outcomes.toSorted((a, b) => a.index - b.index)
  }

  /** Whether an image was diagnosed is known here; of what it showed, each sign once. */
  #seen({ index, signs = [] }: SampleOutcome): Pick<SampleOutcome, 'diagnosed' | 'signs'> {
    return {
      ...(this.#diagnosed.has(index) && { diagnosed: true }),
      ...(signs.length > 0 && { signs: [...new Set(signs)].toSorted() }),
    }
  }

  #badWitness(outcome: SampleOutcome, witnesses: OutcomeReply['witnesses'] = {}): string | undefined {
    const [low, high] = this.#dataset.range
    for (const [threat, pixels] of Object.entries(witnesses)) {
      if (!Object.hasOwn(outcome.threats, threat)) return `a witness for ${threat}, which nobody asked for`
      if (nearestSuccess(outcome, threat) === undefined) return `a witness for ${threat}, which broke nothing`
      if (pixels.length !== this.#size) return `a witness of ${pixels.length} numbers instead of ${this.#size}`
      if (!pixels.every((pixel) => pixel >= low && pixel <= high)) return 'a witness outside the range of the data'
    }
    return undefined
  }
}

/** Witnesses of an accepted reply, with what the model sees in them: a child sends the nearest of each threat. */
export function witnessesOf({ outcome, witnesses = {} }: OutcomeReply): Witness[] {
  return Object.entries(witnesses).flatMap(([threat, pixels]) => {
    const nearest = nearestSuccess(outcome, threat)
    if (nearest === undefined) return []
    return [{ threat, index: outcome.index, label: outcome.label, predicted: nearest.predicted, pixels }]
  })
}

/** The first of the nearest, in the order of the suite. */
function nearestSuccess(outcome: SampleOutcome, threat: string) {
  const successes = Object.values(outcome.threats[threat].attacks).filter((attack) => attack.success)
  const distance = Math.min(...successes.map((attack) => attack.distance))
  return successes.find((attack) => attack.distance === distance)
}

/** Keys in the order in which they were asked for, so that equal results are equal files. */
function inOrder(outcome: SampleOutcome, { threats, attacks }: Expected): SampleOutcome {
  const { index, label, predicted } = outcome
  const sorted = threats.map(({ id }) => {
    const threat = outcome.threats[id]
    const ran = attacks.filter((attack) => Object.hasOwn(threat.attacks, attack.id))
    const entries = Object.fromEntries(ran.map((attack) => [attack.id, threat.attacks[attack.id]]))
    return [id, { robust: threat.robust, attacks: entries }] as const
  })
  return { index, label, predicted, threats: Object.fromEntries(sorted) }
}
