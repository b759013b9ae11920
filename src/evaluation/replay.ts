import type { ImageTask } from '../engine/messages.js'
import type { ChildEffects } from './children.js'
import { answers, impossibleReply, withChildren } from './children.js'
import { childLimits, inPieces, loadRequest } from './evaluate.js'
import type { EvaluationRequest } from './evaluate.js'

/** A point that is put to a model as it is. */
export interface Point {
  readonly label: number
  /** float32 [product(shape)], in the dataset's range and layout. */
  readonly pixels: Float32Array
}

/** As many points as this many batches hold are with the child at once: none of its batches waits, and no pipe fills. */
const BATCHES_AHEAD = 3

/**
 * What the unmodified model says at points of the dataset's pixel space; nothing is attacked.
 *
 * @returns the class at each point, in order; the number of classes where every output is NaN
 * @throws UsageError and EvaluationError as `evaluate` does
 */
export async function predictionsAt(
  points: readonly Point[],
  request: EvaluationRequest,
  effects: ChildEffects,
): Promise<readonly number[]> {
  if (points.length === 0) return []
  const doing = `replaying adversarial examples on ${request.model.name}`
  const predictions = new Array<number | undefined>(points.length)
  await withChildren(1, childLimits(request), effects, async (child) => {
    let [sent, done] = [0, 0]
    let batch: number | undefined
    child.send(loadRequest(request))
    for await (const reply of answers(child, doing)) {
      if (batch === undefined) {
        if (reply.type !== 'loaded') throw impossibleReply(`${reply.type} before the model was loaded`, doing)
        batch = reply.batch
      } else {
        if (reply.type !== 'replayed') throw impossibleReply(`${reply.type} instead of a prediction`, doing)
        const { index, predicted } = reply
        if (!(index < sent) || predictions[index] !== undefined)
          throw impossibleReply(`point ${index} was not asked for, or is answered already`, doing)
        predictions[index] = predicted
        done++
      }
      const end = Math.min(points.length, done + BATCHES_AHEAD * batch)
      const tasks = points
        .slice(sent, end)
        .map(({ label, pixels }, place): ImageTask => ({ index: sent + place, label, pixels }))
      for (const images of inPieces(tasks)) child.send({ type: 'replay', images })
      sent = Math.max(sent, end)
      if (done === points.length) return
    }
  })
  return predictions.map((predicted) => {
    if (predicted === undefined) throw impossibleReply('a point was not answered', doing)
    return predicted
  })
}
