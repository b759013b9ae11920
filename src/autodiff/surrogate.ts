import type { Preprocessing } from '../config/types.js'
import { UsageError } from '../errors.js'
import { floats } from '../onnx/builder.js'
import { canonicalise } from '../onnx/canonical.js'
import { decodeModel, encodeModel } from '../onnx/codec.js'
import { MODEL_PREFIX, withPrefix } from '../onnx/edit.js'
import type { ElementType, Graph, RunModel, Tensor, ValueInfo } from '../onnx/graph.js'
import { preprocessingGraph } from '../onnx/preprocessing.js'
import type { ImageFormat } from '../onnx/preprocessing.js'
import { stillness } from '../onnx/stillness.js'
import type { Samples, Settled } from '../onnx/settle.js'
import { renameReads } from '../onnx/subgraphs.js'
import { widen } from '../onnx/widen.js'
import { checkOriginal, surelyApart } from './checkOriginal.js'
import { classOutput, REAL_TYPES } from './classOutput.js'
import { settleExpanded } from './expand.js'
import { forOnnxruntime } from './forOnnxruntime.js'
import { gradientGraph } from './gradientGraph.js'
import { findLogits } from './logits.js'
import type { OutputKind } from './logits.js'
import { LOSSES } from './lossHead.js'
import type { HeadLoss } from './lossHead.js'
import { asNoGradient, NoGradient } from './noGradient.js'
import { only, originalModel } from './originalModel.js'
import { withRealLogits } from './wholeLogits.js'

/** A model as its file has it. */
export interface ModelSource {
  readonly name: string
  readonly bytes: Uint8Array
  /** External data by the location the model names. */
  readonly external: Readonly<Record<string, Uint8Array>>
}

/** The output that is read. */
export interface ReadOutput {
  readonly name: string
  readonly kind: OutputKind
  /** The output that says the class itself, and has to say the same. */
  readonly label?: string
}

/** The way into the original, and how to read its answer. */
export interface OriginalFacts {
  /** `image` → `output`, the original's input; undefined when the original takes images as they are. */
  readonly preprocessingModel?: Uint8Array
  readonly input: ValueInfo & { readonly type: ElementType }
  readonly output: ReadOutput
  readonly classes: number
  readonly originalBatch: number | 'free'
  /** An image gives something else among other images. */
  readonly batchDependent: boolean
  /** Operators that draw numbers. */
  readonly chance: readonly string[]
}

/** What attacks run on besides the original. */
export interface Surrogate extends OriginalFacts {
  /**
   * Inputs `image` float32 [N, ...shape], `label`, `loss` and `target` int64 [N], `direction` float32 [N, K]; outputs
   * `logits` float32 [N, K], `value` float32 [N], `gradient` float32 [N, ...shape]. Draws numbers where the model does.
   */
  readonly gradientModel: Uint8Array
  /** Operators whose gradient is that of a smooth stand-in. */
  readonly straightThrough: readonly string[]
  /** It ends with whole numbers and does not say how much one of them is. */
  readonly unknownSteps: boolean
  readonly gradientBatch: number | 'free'
  /** Every answer of the gradient model is of draws of its own, so that a mean of several is one over the noise (EOT). */
  readonly drawsApart: boolean
  /**
   * Of the largest logit: how far from the original's its logits may be. Undefined where they differ by nature: where the
   * model rounds, draws numbers, or sees the other images of its batch.
   */
  readonly comparable?: number
}

export interface SurrogateOptions extends ImageFormat {
  /** Bounds of a pixel: the model is tried on images inside them. */
  readonly range: readonly [number, number]
  readonly preprocessing: Preprocessing
  /** Images in every run of the gradient model (one whose batch cannot be freed keeps its own). Undefined: any number. */
  readonly batch?: number
  /** The losses that are going to be asked for. Undefined: all. */
  readonly losses?: readonly HeadLoss[]
  readonly run: RunModel
}

/**
 * Makes the gradient graph of a classifier, preprocessing included, and checks it against the original.
 *
 * @throws NoGradient where an operator has none, UsageError for what is not a classifier of these images.
 */
export async function buildSurrogate(model: ModelSource, options: SurrogateOptions): Promise<Surrogate> {
  const original = decodeModel(model.bytes, model)
  return named(model.name, async () => {
    const input = imageInput(original)
    const output = classOutput(original)
    const before = preprocessingGraph(input, options, options.preprocessing)
    const canonical = join(before, withPrefix(canonicalise({ ...original, outputs: [output] })))
    const still = stillness(widen(canonical))
    const samples = sampleInputs({ name: 'image', type: 'float32', shape: options.shape, range: options.range })
    const declared = declaredBatch(input)
    const settled = await asNoGradient(() => settleExpanded(still.graph, declared, samples, options.run))
    const batch = settled.batch === 'free' ? 1 : settled.batch
    const found = findLogits(settled.graph, MODEL_PREFIX + output.name, settled.observation, batch)
    const real = withRealLogits(settled, found, canonical, output)
    const { classifier } = real
    const draws = still.operators.length > 0
    const runnable = originalModel(model.bytes, original, input, {
      output,
      preprocessing: before,
      samples,
      run: options.run,
      draws,
    })
    const rounds = settled.straightThrough.length > 0
    const rewritten = async (count: number): Promise<Tensor> => {
      const known = count === batch ? settled.answer : undefined
      return only(known ?? (await options.run(encodeModel(ofBatch(settled.graph, count)), samples(0, count))))
    }
    const facts = await checkOriginal(runnable, rewritten, { canonical, rounds })
    const names = { logits: 'logits', value: 'value', gradient: 'gradient' }
    const { losses = LOSSES } = options
    // What is drawn once for a whole batch is drawn for one image alone, else all of them would get one draw.
    const isShared = still.ofOneShape(settled.graph).some((name) => hasNoRows(settled, name))
    const wanted = isShared ? 1 : options.batch
    const gradient = await asNoGradient(() =>
      gradientGraph(real.settled, classifier, { losses, selectable: true, batch: wanted, names }),
    )
    const restored = still.restore(gradient)
    const gradientBatch = settled.batch === 'free' ? (wanted ?? 'free') : settled.batch
    return {
      gradientModel: encodeModel(forOnnxruntime(restored.graph, real.settled.observation)),
      preprocessingModel: runnable.preprocessingModel,
      input,
      output: { name: output.name, kind: classifier.kind, label: output.label },
      classes: classifier.classes,
      straightThrough: settled.straightThrough,
      unknownSteps: real.unknownSteps,
      originalBatch: facts.batch,
      batchDependent: facts.dependent,
      chance: still.operators,
      gradientBatch,
      drawsApart: restored.draws && (!isShared || gradientBatch === 1),
      comparable: rounds || draws || facts.dependent ? undefined : surelyApart(canonical, false),
    }
  })
}

/**
 * The same graph for so many images. Where sizes are free, onnxruntime 1.30 looks through all values that are done with before
 * it places the next in memory: an LSTM that is written out step by step takes many times as long to open.
 */
function ofBatch(graph: Graph, images: number): Graph {
  return { ...graph, inputs: graph.inputs.map((input) => ({ ...input, dims: input.dims?.with(0, images) })) }
}

/** Whether a value that the images do not shape has nothing for each of them. */
function hasNoRows({ observation, batch }: Settled, name: string): boolean {
  // As many rows as there are images may be those of a weight.
  return batch !== 1 && (batch !== 'free' || observation.get(name)?.batchAxis === undefined)
}

/** Puts the model's name in front of what the user can mend. */
export async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UsageError) || error.message.startsWith(name)) throw error
    const message = `${name}: ${error.message}`
    throw error instanceof NoGradient
      ? new NoGradient(message, { cause: error })
      : new UsageError(message, { cause: error })
  }
}

/** The one input that takes images. */
export function imageInput(graph: Graph): ValueInfo & { readonly type: ElementType } {
  if (graph.inputs.length !== 1)
    throw new UsageError(
      `has ${graph.inputs.length} inputs (${graph.inputs.map((input) => input.name).join(', ')}); a classifier takes one: images`,
    )
  const [input] = graph.inputs
  if (input.type === undefined || !REAL_TYPES.has(input.type))
    throw new UsageError(
      `the input "${input.name}" is of type ${input.type ?? 'unknown'}; attacks need a floating-point input, export the model without its integer front`,
    )
  return { ...input, type: input.type }
}

/** The batch an export has baked in. */
export function declaredBatch(input: ValueInfo): number | undefined {
  const first = input.dims?.[0]
  return typeof first === 'number' && first > 0 ? first : undefined
}

/** The preprocessing in front of the model: one graph from image to output. */
function join(before: Graph, model: Graph): Graph {
  const [from] = before.outputs
  const [to] = model.inputs
  const nodes = model.nodes.map((node) => renameReads(node, (name) => (name === to.name ? from.name : name)))
  const size = to.dims?.[0]
  const inputs = before.inputs.map((image) => ({ ...image, dims: [size ?? 'batch', ...(image.dims ?? []).slice(1)] }))
  return {
    ...model,
    inputs,
    nodes: [...before.nodes, ...nodes],
    constants: new Map([...before.constants, ...model.constants]),
  }
}

/** Where in the range the pixels of an image lie: of every brightness, dark, bright. */
const BRIGHTNESS: readonly (readonly [darkest: number, contrast: number])[] = [
  [0, 1],
  [0, 0.05],
  [0.95, 0.05],
]

/**
 * Images without a pattern (multiples of the golden ratio, modulo 1), the first of every brightness, the second dark, the
 * third bright and so on: what is shared between the images of a batch (a maximum, a mean) shows in them.
 */
export function sampleInputs(input: {
  readonly name: string
  readonly type: ElementType
  /** Of one image. */
  readonly shape: readonly number[]
  readonly range: readonly [number, number]
}): Samples {
  const { name, type, shape, range } = input
  const [low, high] = range
  const size = shape.reduce((total, length) => total * length, 1)
  return (first, count) => {
    const values = Float64Array.from({ length: count * size }, (_, at) => {
      const [darkest, contrast] = BRIGHTNESS[(first + Math.floor(at / size)) % BRIGHTNESS.length]
      const share = ((first * size + at + 1) * 0.6180339887498949) % 1
      return low + (high - low) * (darkest + contrast * share)
    })
    return new Map([[name, { type, dims: [count, ...shape], data: floats(type, values) }]])
  }
}
