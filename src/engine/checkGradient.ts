import type { OutputKind } from '../autodiff/logits.js'
import type { Samples } from '../onnx/settle.js'
import { agrees } from '../onnx/settle.js'
import { messageOf, oneLine } from '../text.js'
import type { Engine } from './scheduler.js'

/**
 * Runs the finished gradient model once, as attacks are going to, and holds its logits against the original's on the same
 * images. It has been through more hands than the model that was compared while it was made: its batch is set, its
 * operators are fused, onnxruntime has optimised it anew.
 *
 * @param options.samples images inside the bounds, of which a full batch is taken
 * @param options.comparable of the largest logit, how far apart they may be; undefined: they differ by nature, and only
 *   whether it runs, has as many outputs as it should and numbers where the original has some is looked at
 * @returns what is wrong, for a sentence; undefined when nothing is
 */
export async function faultOfGradient(
  { gradient, prediction }: Engine,
  { kind, samples, comparable }: { readonly kind: OutputKind; readonly samples: Samples; readonly comparable?: number },
): Promise<string | undefined> {
  const { batch } = gradient
  const points = imagesOf(samples, batch)
  const answers = await gradient
    .answer(points.map((point) => ({ kind: 'gradient', point, loss: { name: 'cross-entropy', label: 0 } })))
    .catch((error: unknown) => `onnxruntime fails to run it: ${oneLine(messageOf(error), 200)}`)
  if (typeof answers === 'string') return answers
  const said: number[] = []
  for (let first = 0; first < batch; first += prediction.batch) {
    const some = points.slice(first, first + prediction.batch)
    const replies = await prediction.answer(some.map((point) => ({ kind: 'prediction', point })))
    for (const { logits } of replies) said.push(...seen(logits, kind))
  }
  const made = answers.flatMap(({ logits }) => seen(logits, kind))
  if (comparable === undefined)
    return made.some((logit, at) => Number.isNaN(logit) && !Number.isNaN(said[at]))
      ? 'what was made gives NaN where the model gives numbers'
      : undefined
  return agrees(made, said, comparable) ? undefined : 'what was made gives other logits than the model'
}

function imagesOf(samples: Samples, count: number): readonly Float32Array[] {
  const [{ data }] = samples(0, count).values()
  const pixels = Float32Array.from(data as Float32Array)
  const size = pixels.length / count
  return Array.from({ length: count }, (_, image) => pixels.subarray(image * size, (image + 1) * size))
}

/** e⁻⁹ is over 1e-4: smaller probabilities have few bits in float16, and none where they are 0. */
const LEAST = -9

/** What an output shows of logits: of probabilities their logarithms, which logits have up to a number for all classes. */
function seen(logits: Float32Array, kind: OutputKind): readonly number[] {
  if (kind === 'logits' || kind === 'one-logit') return [...logits]
  const largest = Math.max(...logits)
  const total = logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0)
  return Array.from(logits, (logit) => Math.max(logit - largest - Math.log(total), LEAST))
}
