import { InferenceSession, Tensor as OnnxTensor } from 'onnxruntime-node'
import type { ExecutionProvider } from '../config/types.js'
import { UsageError } from '../errors.js'
import type { RunModel, Tensor } from '../onnx/graph.js'
import { messageOf, oneLine } from '../text.js'

/**
 * One thread for each session: parallelism comes from worker processes, and with one thread the order of the sums does
 * not depend on the machine. Only fatal errors are logged; the others come back as exceptions.
 */
const options = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  // One block planned for all values at once takes up to twice the memory and no less time (node bench/memory.mjs).
  enableMemPattern: false,
  logSeverityLevel: 4,
} as const

/** How far onnxruntime may rewrite a graph before it runs it, the fastest first. */
export const OPTIMISATIONS = ['all', 'sums apart', 'transposes apart', 'pads apart', 'none'] as const
export type Optimisation = (typeof OPTIMISATIONS)[number]

// Where it fuses a MatMul with the DequantizeLinear of its weights, onnxruntime 1.30 rounds activations to 8 bits, too, unless
// it is told to reckon in float32.
const asWritten = { session: { qdq_matmulnbits_accuracy_level: '1' } } as const

const levels = {
  all: { graphOptimizationLevel: 'all', extra: asWritten },
  // Of its optimisers those that are known to go wrong: one reads the bias of a LayerNormalization that leaves it out by an
  // empty name, and crashes; the next takes Transpose(x)·v for x·v where v is a vector; the last lets a MaxPool leave the zeros
  // out that were padded for it, as in the stem of a BiT, which is slow with none at all.
  'sums apart': without('SkipLayerNormFusion'),
  'transposes apart': without('SkipLayerNormFusion;MatmulTransposeFusion'),
  'pads apart': without('SkipLayerNormFusion;MatmulTransposeFusion;Pad_Fusion'),
  none: { graphOptimizationLevel: 'disabled' },
} as const satisfies Readonly<Record<Optimisation, InferenceSession.SessionOptions>>

function without(optimisers: string) {
  const extra = { ...asWritten, optimization: { disable_specified_optimizers: optimisers } }
  return { graphOptimizationLevel: 'all' as const, extra }
}

/**
 * Opens a model.
 *
 * @param external contents of external data files by the location the model names
 * @throws UsageError where there is no such provider
 */
export async function openSession(
  model: Uint8Array,
  external: Readonly<Record<string, Uint8Array>> = {},
  optimisation: Optimisation = 'all',
  provider: ExecutionProvider = 'cpu',
): Promise<InferenceSession> {
  sayNothing()
  // onnxruntime-node 1.30 takes one ./ off a path, and then misses the file that a model calls ./weights.
  const pathOf = (location: string): string => (location.startsWith('./') ? `./${location}` : location)
  const externalData = Object.entries(external).map(([location, data]) => ({ path: pathOf(location), data }))
  const chosen = { ...options, ...levels[optimisation], executionProviders: [provider] }
  try {
    return await InferenceSession.create(model, externalData.length > 0 ? { ...chosen, externalData } : chosen)
  } catch (error) {
    if (!/AppendExecutionProvider/.test(messageOf(error))) throw error
    throw new UsageError(
      `execution-provider ${provider}: onnxruntime cannot use it on this machine (${oneLine(messageOf(error), 200)}); it needs an NVIDIA driver, CUDA 12 and cuDNN 9 where the system looks for libraries or LD_LIBRARY_PATH says`,
      { cause: error },
    )
  }
}

/**
 * Switches off onnxruntime's telemetry, which since 1.29 sends its maker names and hashes of the models with an identifier of the
 * machine, where no CI=… is set: a child has no environment. It looks at this variable when the first model is opened.
 */
function sayNothing(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1'
}

/** Runs encoded models, and keeps the last one open: whoever made the runner closes it. */
export interface ModelRunner extends RunModel {
  readonly close: () => Promise<void>
}

/**
 * A function that runs encoded models one after the other. The same bytes again are not opened again: making a gradient
 * runs one model several times, and opening 100 MB takes longer than any run.
 *
 * @param external of the models it is going to run, as for openSession
 */
export function modelRunner(
  external: Readonly<Record<string, Uint8Array>> = {},
  optimisation: Optimisation = 'all',
): ModelRunner {
  let opened: { readonly model: Uint8Array; readonly session: InferenceSession } | undefined
  const close = async (): Promise<void> => {
    const last = opened
    opened = undefined
    await last?.session.release()
  }
  const sessionOf = async (model: Uint8Array): Promise<InferenceSession> => {
    if (opened?.model === model) return opened.session
    await close()
    const session = await openSession(model, external, optimisation)
    opened = { model, session }
    return session
  }
  const run: RunModel = async (model, feeds, outputs) => {
    const session = await sessionOf(model)
    const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, toOnnx(tensor)]))
    const results = await session.run(inputs, [...(outputs ?? session.outputNames)])
    return new Map(Object.entries(results).map(([name, tensor]) => [name, fromOnnx(tensor)]))
  }
  return Object.assign(run, { close })
}

/** The runtime's tensor over the same memory. */
export function toOnnx({ type, data, dims }: Tensor): OnnxTensor {
  if (type === 'bfloat16') throw new TypeError('onnxruntime-node has no bfloat16 tensors.')
  return fed(new OnnxTensor(type as 'float32', data as Float32Array, dims))
}

/**
 * The same tensor as the runtime takes it for an input. Where Node has a Float16Array, onnxruntime-node 1.30 gives
 * float16 as one, but reads no bytes from one: it has to be shown the bits.
 */
export function fed(tensor: OnnxTensor): OnnxTensor {
  const { data } = fromOnnx(tensor)
  return data === tensor.data ? tensor : Object.defineProperty(tensor, 'data', { value: data })
}

/** Our tensor over the same memory; float16 as its bits, which newer Node versions wrap as Float16Array. */
export function fromOnnx({ type, data, dims }: OnnxTensor): Tensor {
  const values = data as Tensor['data']
  if (type === 'float16' && !(values instanceof Uint16Array) && ArrayBuffer.isView(values))
    return { type, dims, data: new Uint16Array(values.buffer, values.byteOffset, values.length) }
  return { type: type as Tensor['type'], dims, data: values }
}
