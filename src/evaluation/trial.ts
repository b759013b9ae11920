import type { Flag, ImageTask } from '../engine/messages.js'
import { answers, impossibleReply, withChildren } from './children.js'
import { checkLabels, childLimits, loadRequest } from './evaluate.js'
import type { EvaluationEffects, EvaluationRequest } from './evaluate.js'

/** What one batch of a model has shown. */
export interface Trial {
  readonly classes: number
  readonly batch: number
  readonly engine: string
  readonly gradient: boolean
  readonly flags: readonly Flag[]
  /** Images that were tried, and those of them on which the model is right. */
  readonly images: number
  readonly right: number
  /** Seconds for one image in a batch; of the gradient undefined where there is none. */
  readonly secondsPerForward: number
  readonly secondsPerGradient?: number
}

/**
 * Loads a model in a child as an evaluation does, runs one batch of it and of its gradient, and attacks nothing. Each is
 * run twice, and the second run is measured: the first one lays out the memory.
 *
 * @throws UsageError and EvaluationError as `evaluate` does
 */
export async function tryModel(
  request: EvaluationRequest,
  effects: Pick<EvaluationEffects, 'startChild' | 'signal' | 'now'>,
): Promise<Trial> {
  const doing = `trying ${request.model.name}`
  const [trial] = await withChildren(1, childLimits(request), effects, async (child) => {
    child.send(loadRequest(request))
    const replies = answers(child, doing)
    const { value: loaded } = await replies.next()
    if (loaded.type !== 'loaded') throw impossibleReply(`${loaded.type} before the model was loaded`, doing)
    checkLabels(request, loaded.classes)
    const images = firstImages(request, loaded.batch)
    const run = async (gradient: boolean) => {
      const began = effects.now()
      child.send({ type: 'try', gradient, images })
      const { value: tried } = await replies.next()
      if (tried.type !== 'tried') throw impossibleReply(`${tried.type} instead of a batch tried`, doing)
      const { predicted } = tried
      if (predicted.length > images.length)
        throw impossibleReply(`${predicted.length} predictions for ${images.length} images`, doing)
      return { predicted, seconds: (effects.now() - began) / 1000 / predicted.length }
    }
    await run(false)
    const forward = await run(false)
    if (loaded.gradient) await run(true)
    const gradient = loaded.gradient ? await run(true) : undefined
    const { classes, batch, engine, flags } = loaded
    return {
      ...{ classes, batch, engine, flags, gradient: loaded.gradient },
      images: forward.predicted.length,
      right: forward.predicted.filter((predicted, place) => predicted === images[place].label).length,
      secondsPerForward: forward.seconds,
      ...(gradient && { secondsPerGradient: gradient.seconds }),
    }
  })
  return trial
}

function firstImages({ dataset }: EvaluationRequest, batch: number): readonly ImageTask[] {
  const size = dataset.shape.reduce((product, length) => product * length, 1)
  return Array.from({ length: Math.min(batch, dataset.samples) }, (_, index) => ({
    index,
    label: dataset.labels[index],
    pixels: dataset.pixels.subarray(index * size, (index + 1) * size),
  }))
}
