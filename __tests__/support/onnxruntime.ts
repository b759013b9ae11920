import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node'
import type { RunModel, Tensor } from '../../src/onnx/graph.js'

type Optimisation = 'disabled' | 'all'

/** A {@link RunModel} on onnxruntime, one thread. `float16` as Uint16Array of bits, int64 BigInt64Array, bool Uint8Array. */
export function runModelWith(graphOptimizationLevel: Optimisation): RunModel {
  return async (model, feeds, outputs) => {
    const session = await InferenceSession.create(model, {
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel,
      logSeverityLevel: 4,
    })
    try {
      const inputs = Object.fromEntries([...feeds].map(([name, tensor]) => [name, toOrt(tensor)]))
      const results = outputs ? await session.run(inputs, outputs) : await session.run(inputs)
      return new Map(Object.entries(results).map(([name, value]) => [name, fromOrt(value)]))
    } finally {
      await session.release()
    }
  }
}

/** Runs a model exactly as it is written: no fusion changes a bit. */
export const runModel: RunModel = runModelWith('disabled')

function toOrt({ type, data, dims }: Tensor): OrtTensor {
  // On Node 24 onnxruntime-node 1.30 cannot be fed float16 (it knows no Float16Array), only asked for it.
  return new OrtTensor(type as 'float32', data as Float32Array, dims)
}

function fromOrt({ type, data, dims }: OrtTensor): Tensor {
  const bits = (type as string) === 'float16' && ArrayBuffer.isView(data) && !(data instanceof Uint16Array)
  const plain = bits ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data
  return { type: type as Tensor['type'], dims, data: plain as Tensor['data'] }
}
