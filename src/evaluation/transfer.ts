import type { ChildEffects } from './children.js'
import type { Witness } from './collector.js'
import { sampleOf } from './diagnosed.js'
import type { EvaluationRequest } from './evaluate.js'
import { predictionsAt } from './replay.js'
import type { Results } from './results.js'

/** What became of one model's adversarial examples when they were tried on another model, under one threat. */
export interface Tried {
  readonly threat: string
  /** Images that count as robust in the other model and that had an example to try. */
  readonly tried: number
  /** Those of them that the example breaks: indices, ascending. */
  readonly fooled: readonly number[]
}

/**
 * Says which adversarial examples of a model are worth keeping to be tried on another one. All together stay within a
 * gigabyte for each model: of larger data a sample of the images have theirs tried, the same in any order.
 *
 * @param most bytes that are kept
 */
export function transferable(
  { dataset, threats }: Pick<EvaluationRequest, 'dataset' | 'threats'>,
  most = 2 ** 30,
): (witness: Pick<Witness, 'index'>) => boolean {
  const bytes = 4 * dataset.shape.reduce((product, length) => product * length, threats.length)
  const kept = sampleOf(dataset, Math.max(1, Math.floor(most / bytes)))
  return ({ index }) => kept.has(index)
}

/** Whether an image counts as robust: then a witness of another model, in the same ball, proves that the suite missed one. */
export function isHeldBy({ samples }: Results): (witness: Witness) => boolean {
  // A shard does not hold every image.
  const outcomes = new Map(samples.map((sample) => [sample.index, sample.threats]))
  return ({ threat, index }) => outcomes.get(index)?.[threat]?.robust === true
}

/**
 * Tries adversarial examples of another model on `request.model`: those of images that its `results` count as robust. A
 * diagnosis outside the suite (Athalye, Carlini and Wagner 2018, section 3.1: where transfer beats white-box attacks,
 * gradients are masked); the results stay as they are.
 */
export async function tryWitnesses(
  witnesses: readonly Witness[],
  results: Results,
  request: EvaluationRequest,
  effects: ChildEffects,
): Promise<readonly Tried[]> {
  const chosen = witnesses
    .filter(isHeldBy(results))
    .sort((one, other) => one.index - other.index || (one.threat < other.threat ? -1 : 1))
  const predictions = await predictionsAt(chosen, request, effects)
  return results.threats.map(({ id }) => {
    const ofThreat = chosen.map((witness, place) => ({ ...witness, predicted: predictions[place] }))
    const tried = ofThreat.filter(({ threat }) => threat === id)
    const fooled = tried.filter(({ label, predicted }) => label !== predicted)
    return { threat: id, tried: tried.length, fooled: fooled.map(({ index }) => index) }
  })
}
