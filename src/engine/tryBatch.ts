import { predictedClass } from '../attacks/losses.js'
import type { Request } from './messages.js'
import type { Engine } from './scheduler.js'

/**
 * Runs one batch: of the gradient model, or of the original.
 *
 * @returns the class of each image that was in the batch, in order
 */
export async function tryBatch(
  { gradient, images }: Pick<Extract<Request, { type: 'try' }>, 'gradient' | 'images'>,
  engine: Engine,
): Promise<number[]> {
  if (!gradient) {
    const answers = await engine.prediction.answer(
      images.slice(0, engine.prediction.batch).map(({ pixels: point }) => ({ kind: 'prediction', point })),
    )
    return answers.map(({ predicted }) => predicted)
  }
  const answers = await engine.gradient.answer(
    images
      .slice(0, engine.gradient.batch)
      .map(({ pixels: point, label }) => ({ kind: 'gradient', point, loss: { name: 'cross-entropy', label } })),
  )
  return answers.map(({ logits }) => predictedClass(logits))
}
