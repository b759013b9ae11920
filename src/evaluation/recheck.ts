import { threatModel } from '../attacks/threat.js'
import type { ThreatSpec } from '../config/types.js'
import type { Dataset } from '../data/types.js'
import type { StoredWitnesses } from '../data/witnesses.js'
import { UsageError } from '../errors.js'
import type { ChildEffects } from './children.js'
import type { EvaluationRequest } from './evaluate.js'
import { predictionsAt } from './replay.js'

/** One saved adversarial example, looked at again. */
export interface Rechecked {
  readonly index: number
  /** Whether the model is right on the clean image: only then is there anything to fool. */
  readonly right: boolean
  /** The model does not say the label at the saved point. */
  readonly fools: boolean
  /** The point is in the ball around the clean image and within the bounds of a pixel. */
  readonly inside: boolean
}

/**
 * Puts saved adversarial examples, and the images they were made from, to a model.
 *
 * @param request whose dataset is the one they were made from
 * @throws UsageError when they are of other data
 */
export async function recheck(
  witnesses: StoredWitnesses,
  threat: ThreatSpec,
  request: EvaluationRequest,
  effects: ChildEffects,
): Promise<readonly Rechecked[]> {
  const { dataset } = request
  refuseOthers(witnesses, dataset)
  const size = dataset.shape.reduce((product, length) => product * length, 1)
  const pairs = Array.from(witnesses.indices, (index, row) => ({
    index,
    clean: { label: dataset.labels[index], pixels: dataset.pixels.subarray(index * size, (index + 1) * size) },
    point: { label: dataset.labels[index], pixels: witnesses.pixels.subarray(row * size, (row + 1) * size) },
  }))
  const points = pairs.flatMap(({ clean, point }) => [clean, point])
  const predicted = await predictionsAt(points, request, effects)
  return pairs.map(({ index, clean, point }, row) => {
    const { distance, low, high } = threatModel(clean.pixels, threat, dataset.range)
    const inBounds = point.pixels.every((pixel) => pixel >= low && pixel <= high)
    return {
      index,
      right: predicted[2 * row] === clean.label,
      fools: predicted[2 * row + 1] !== clean.label,
      inside: inBounds && distance(point.pixels) <= threat.epsilon,
    }
  })
}

function refuseOthers({ shape, indices, labels }: StoredWitnesses, dataset: Dataset): void {
  const remedy = 'give the data they were made from'
  const name = (dims: readonly number[]): string => `[${dims.join(', ')}]`
  if (name(shape) !== name(dataset.shape))
    throw new UsageError(
      `the adversarial examples have shape ${name(shape)}, the images of ${dataset.name} ${name(dataset.shape)}; ${remedy}`,
    )
  const row = indices.findIndex((index, place) => dataset.labels[index] !== labels[place])
  if (row < 0) return
  const known = indices[row] < dataset.samples ? `has label ${dataset.labels[indices[row]]}` : 'does not exist'
  throw new UsageError(
    `an adversarial example is of image ${indices[row]} with label ${labels[row]}, which in ${dataset.name} ${known}; ${remedy}`,
  )
}
