import { encodeModel } from '../onnx/codec.js'
import { withoutChance } from '../onnx/chance.js'
import type { Graph, RunModel, Tensor, ValueInfo } from '../onnx/graph.js'
import { agrees, numbers } from '../onnx/settle.js'
import type { Samples } from '../onnx/settle.js'
import type { ClassOutput } from './classOutput.js'
import { labelWatch } from './labelWatch.js'

/** The original model and what stands in front of it, ready to be run on samples. */
export interface OriginalModel {
  /** `image` → `output`, the original's input; undefined when the original takes images as they are. */
  readonly preprocessingModel?: Uint8Array
  /** The batch it declares; undefined where that is symbolic. */
  readonly declared: number | undefined
  /** It says the class beside the scores, and every run looks whether they agree. */
  readonly watched: boolean
  /** Its output for `count` samples from the `first`-th on; asked once for the same. */
  readonly run: (first: number, count: number) => Promise<Tensor>
}

export interface OriginalOptions {
  readonly output: ClassOutput
  /** From an image to the model's input; without nodes when nothing is to be done. */
  readonly preprocessing: Graph
  readonly samples: Samples
  readonly run: RunModel
  /** Whether the model draws numbers: then it is run without its noise. */
  readonly draws: boolean
}

/**
 * @param bytes of the model, as they are
 * @param graph what they hold
 */
export function originalModel(
  bytes: Uint8Array,
  graph: Graph,
  input: ValueInfo,
  { output, preprocessing, samples, run, draws }: OriginalOptions,
): OriginalModel {
  const preprocessingModel = preprocessing.nodes.length === 0 ? undefined : encodeModel(preprocessing)
  const model = draws ? encodeModel(withoutChance(graph)) : bytes
  const first = input.dims?.[0]
  const { name, label } = output
  const watch = label === undefined ? undefined : labelWatch(label, name)
  const answers = new Map<string, Promise<Tensor>>()
  const answerTo = async (from: number, count: number): Promise<Tensor> => {
    const images = samples(from, count)
    const prepared = only(preprocessingModel ? await run(preprocessingModel, images) : images)
    const asked = label === undefined ? [name] : [name, label]
    const answer = await run(model, new Map([[input.name, prepared]]), asked)
    const scores = answer.get(name)
    if (scores === undefined) throw new Error(`the model gives no "${name}"`)
    if (label !== undefined) watch?.(answer.get(label), numbers(scores))
    return scores
  }
  return {
    preprocessingModel,
    declared: typeof first === 'number' && first > 0 ? first : undefined,
    watched: watch !== undefined,
    run: (from, count) => {
      const place = `${from}+${count}`
      const answer = answers.get(place) ?? answerTo(from, count)
      answers.set(place, answer)
      return answer
    },
  }
}

/** Images that the class is held against the scores on: of two or three all may have one class. */
const WATCHED = 16

/** With how many images a model can be run, and whether they see each other. */
export interface BatchFacts {
  readonly batch: number | 'free'
  /** An image gives something else among others than it gives alone, or among other others. */
  readonly dependent: boolean
}

/**
 * @param tolerance of the largest output, within which images together give what each gives alone; see `agrees`
 * @param apart the same, beyond which they surely do not
 * @throws UsageError where the class that the model says is not that of its greatest score
 */
export async function batchFacts(
  { declared, run, watched }: OriginalModel,
  tolerance: number,
  apart: number,
): Promise<BatchFacts> {
  const own = declared ?? 1
  for (let first = 0; watched && first < WATCHED; first += own) await run(first, own)
  const row = async (first: number, count: number, place: number): Promise<readonly number[]> => {
    const all = numbers(await run(first, count))
    const width = all.length / count
    return Array.from({ length: width }, (_, at) => all[place * width + at])
  }
  if (declared !== undefined) {
    const moved = declared > 1 && !agrees(await row(1, declared, 0), await row(0, declared, 1), apart)
    return { batch: declared, dependent: moved }
  }
  const together = await run(0, 3).then(numbers, () => undefined)
  // Exports that say any batch and mean one.
  if (together === undefined) return { batch: 1, dependent: false }
  const alone = [...(await row(0, 1, 0)), ...(await row(1, 1, 0)), ...(await row(2, 1, 0))]
  const dependent = together.length === alone.length && !agrees(together, alone, apart)
  return { batch: agrees(together, alone, tolerance) ? 'free' : 1, dependent }
}

export function only(values: ReadonlyMap<string, Tensor>): Tensor {
  const [tensor] = values.values()
  return tensor
}
