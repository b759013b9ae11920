import { expect, test } from '@jest/globals'
import { settleExpanded } from '../../src/autodiff/expand.js'
import type { Expanded } from '../../src/autodiff/expand.js'
import { EXPANSIONS } from '../../src/autodiff/expansions/index.js'
import { UsageError } from '../../src/errors.js'
import { operatorOf } from '../../src/onnx/attributes.js'
import { canonicalise } from '../../src/onnx/canonical.js'
import { decodeModel } from '../../src/onnx/codec.js'
import type { Graph, Tensor } from '../../src/onnx/graph.js'
import { selection } from '../onnx/standard/cases.js'
import type { StandardCase } from '../onnx/standard/cases.js'
import { compareGraph } from '../onnx/standard/compare.js'
import { runModel } from '../support/onnxruntime.js'
import { count, floating } from './support.js'
import type { Floating } from './support.js'

/**
 * Operators that are written out are tried on the standard's own node tests, each with every real input for the image in turn:
 * what attacks run on is what onnxruntime computes, or its gradient is that of something else.
 */

/** Sums in another order, and an exponential for another kernel's: a few roundings of 6e−8. A wrong term shows in the first digits. */
const TOLERANCE = 1e-5

/** One input is the image; the others are given. */
interface Trial {
  readonly name: string
  readonly graph: Graph
  readonly image: Tensor
}

function trialsOf(one: StandardCase): readonly Trial[] {
  const [graph, inputs] = attempt(() => [decodeModel(one.model), one.inputs()] as const) ?? []
  if (!graph?.nodes.some((node) => EXPANSIONS.has(operatorOf(node)))) return []
  return graph.inputs.flatMap((input, place) => {
    const image = inputs?.[place]
    if (!image?.type.match(/^float(32|64)$/) || image.dims.length === 0) return []
    const others = graph.inputs.flatMap(({ name }, at): [string, Tensor][] =>
      at !== place && inputs?.[at] ? [[name, inputs[at]]] : [],
    )
    const constants = new Map([...graph.constants, ...others])
    const fed = { ...graph, inputs: [{ ...input, dims: image.dims }], constants }
    return [{ name: `${one.name}, ${input.name}`, graph: fed, image }]
  })
}

/** The image's own rows, and again from the first where more are asked for. */
async function expanded({ graph, image }: Trial): Promise<Expanded | UsageError> {
  const [rows, ...shape] = image.dims
  const size = count(shape)
  const samples = (first: number, some: number): ReadonlyMap<string, Tensor> => {
    const values = Array.from({ length: some * size }, (_, at) =>
      Number(image.data[(first * size + at) % (rows * size)]),
    )
    return new Map([[graph.inputs[0].name, floating(image.type as Floating, [some, ...shape], values)]])
  }
  return settleExpanded(canonicalise(graph), rows, samples, runModel).catch((error: unknown) => {
    if (error instanceof UsageError) return error
    throw error
  })
}

test('operators that are written out give the same', async () => {
  const failed: string[] = []
  let same = 0
  for (const trial of selection().flatMap(trialsOf)) {
    const settled = await expanded(trial).catch(String)
    // What rounds has quantised.test.ts; what is refused, refusals.test.ts and unrolling.test.ts.
    if (settled instanceof UsageError || (typeof settled !== 'string' && settled.straightThrough.length > 0)) continue
    const rewrite = (): Graph => {
      if (typeof settled === 'string') throw new Error(settled)
      return settled.graph
    }
    const outcome = await compareGraph(trial.graph, [trial.image], TOLERANCE, rewrite)
    if (outcome.kind === 'same') same++
    if (outcome.kind === 'failed') failed.push(`${trial.name}: ${outcome.problem}`)
  }
  expect(failed).toEqual([])
  // As in onnx/standard.test.ts: one that falls means that cases are skipped which used to run.
  expect(same).toBeGreaterThanOrEqual(259)
}, 120_000)

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
