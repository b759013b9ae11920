import { UsageError } from '../../../src/errors.js'
import { makeNode } from '../../../src/onnx/attributes.js'
import { canonicalise } from '../../../src/onnx/canonical.js'
import { decodeModel, encodeModel } from '../../../src/onnx/codec.js'
import type { Graph, Tensor } from '../../../src/onnx/graph.js'
import { dataType } from '../../../src/onnx/tensor.js'
import { runModel } from '../../support/onnxruntime.js'
import type { StandardCase } from './cases.js'

/** What became of a case. */
export type Outcome =
  | { readonly kind: 'same' }
  /** It could not be tried at all, and why. */
  | { readonly kind: 'skipped'; readonly reason: string }
  | { readonly kind: 'failed'; readonly problem: string }

/** Runs a case as it is and in its canonical form, on the same numbers. */
export async function compare(one: StandardCase, tolerance = 0): Promise<Outcome> {
  const original = attempt(() => decodeModel(one.model))
  if (original instanceof Error) return { kind: 'skipped', reason: original.message }
  const inputs = attempt(one.inputs)
  if (inputs instanceof Error) return { kind: 'skipped', reason: inputs.message }
  return compareGraph(original, inputs, tolerance)
}

/** Runs a graph as it is and in its canonical form, or what else it is rewritten to. */
export async function compareGraph(
  original: Graph,
  inputs: readonly Tensor[],
  tolerance = 0,
  rewrite = canonicalise,
): Promise<Outcome> {
  const { graph, feeds } = fed(original, inputs)
  const before = await run(graph, feeds)
  if (before instanceof Error) return { kind: 'skipped', reason: before.message }
  const canonical = attempt(() => rewrite(graph))
  if (canonical instanceof Error)
    return canonical instanceof UsageError && canonical.message.includes('too old')
      ? { kind: 'skipped', reason: 'opset before 7' }
      : { kind: 'failed', problem: canonical.message }
  const after = await run(canonical, feeds)
  if (after instanceof Error) return { kind: 'failed', problem: `rewritten: ${after.message}` }
  for (const { name } of graph.outputs) {
    const problem = difference(before.get(name), after.get(name), tolerance)
    if (problem !== undefined) return { kind: 'failed', problem: `output ${name}: ${problem}` }
  }
  return { kind: 'same' }
}

/** onnxruntime-node takes no float16 on Node 24: such an input is fed as float32 through a Cast in front of the model. */
function fed(graph: Graph, inputs: readonly Tensor[]): { readonly graph: Graph; readonly feeds: Map<string, Tensor> } {
  const feeds = new Map<string, Tensor>()
  const casts = graph.inputs.flatMap(({ name, type }, place) => {
    const value = inputs[place]
    if (value === undefined) return []
    if (type !== 'float16' || value.type !== 'float16') {
      feeds.set(name, value)
      return []
    }
    feeds.set(`${name}/wide`, {
      type: 'float32',
      dims: value.dims,
      data: Float32Array.from(value.data as Uint16Array, half),
    })
    return [makeNode('Cast', [`${name}/wide`], [name], { to: dataType('float16') })]
  })
  const wide = graph.inputs.map((input) =>
    feeds.has(input.name) ? input : { ...input, name: `${input.name}/wide`, type: 'float32' as const },
  )
  return { graph: { ...graph, inputs: wide, nodes: [...casts, ...graph.nodes] }, feeds }
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Infinity
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor> | Error> {
  try {
    return await runModel(encodeModel(graph), feeds)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function difference(before: Tensor | undefined, after: Tensor | undefined, tolerance: number): string | undefined {
  if (before === undefined || after === undefined) return before === after ? undefined : 'it is missing'
  if (before.type !== after.type) return `${after.type} instead of ${before.type}`
  if (before.dims.join() !== after.dims.join()) return `[${after.dims.join()}] instead of [${before.dims.join()}]`
  let worst = 0
  for (let at = 0; at < before.data.length; at++) {
    const [a, b] = [before.data[at], after.data[at]]
    if (a === b || (Number.isNaN(a) && Number.isNaN(b))) continue
    if (typeof a !== 'number') return `${String(b)} instead of ${String(a)}`
    const apart = Math.abs(a - Number(b)) / Math.max(1, Math.abs(a))
    worst = Number.isNaN(apart) ? Infinity : Math.max(worst, apart)
  }
  return worst > tolerance ? `differs by ${worst}` : undefined
}

function attempt<T>(work: () => T): T | Error {
  try {
    return work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
