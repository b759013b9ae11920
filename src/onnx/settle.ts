import { foldConstants } from './fold.js'
import type { Graph, RunModel, Tensor } from './graph.js'
import { freeBatch, liftBatch } from './lift.js'
import { observeBatch, observeFixed, observer } from './observe.js'
import type { Observation } from './observe.js'
import { widenTensor } from './widen.js'

/** A graph with nothing left open: constants folded, batch free where it can be, every shape seen. */
export interface Settled {
  readonly graph: Graph
  readonly observation: Observation
  /** Images in one run: any number, or exactly this many. */
  readonly batch: number | 'free'
}

/** Images to try a model on, `count` of them from the `first`-th: the same number always gives the same image. */
export type Samples = (first: number, count: number) => ReadonlyMap<string, Tensor>

/**
 * Runs the graph to learn what it does instead of inferring it, and frees its batch: as it is where any batch runs
 * through it already, else by rewriting its reshapes (`liftBatch`). Either is accepted only if two images together give
 * what each gives alone.
 *
 * @param declared the batch the model declares; undefined where it is symbolic.
 */
export async function settle(
  graph: Graph,
  declared: number | undefined,
  samples: Samples,
  run: RunModel,
): Promise<Settled> {
  const free = await tryFree(freeBatch(graph), samples, run)
  if (free) return free
  const own = declared ?? 1
  const values = await observer(graph, run).all(samples(0, own))
  const folded = foldConstants(graph, [values])
  const lifted = own === 1 ? liftBatch(folded, values) : undefined
  const settled = lifted && (await tryFree(freeBatch(lifted), samples, run))
  return settled ?? { graph: folded, observation: observeFixed(values), batch: own }
}

async function tryFree(graph: Graph, samples: Samples, run: RunModel): Promise<Settled | undefined> {
  const attempt = await runBatches(graph, samples, run).catch(() => undefined)
  if (attempt === undefined) return undefined
  const { first, second, both } = attempt
  const observation = observeBatch(first, both)
  const independent = graph.outputs.every(({ name }) => isStack(both.get(name), first.get(name), second.get(name)))
  if (observation === undefined || !independent) return undefined
  return { graph: foldConstants(graph, [first, both]), observation, batch: 'free' }
}

async function runBatches(graph: Graph, samples: Samples, run: RunModel) {
  const observed = observer(graph, run)
  const first = await observed.all(samples(0, 1))
  const both = await observed.all(samples(0, 2))
  const second = await observed.outputs(samples(1, 1))
  return { first, both, second }
}

/**
 * Sums in another order differ by a few units in the last place of float32 (6e−8 relative), some layers deep: 1e−4 of the
 * largest output is far above that and far below what a mixed-up batch does.
 */
export const REORDERING_TOLERANCE = 1e-4

/** Whether two tensors agree up to the order of summation, or to another share of the largest number. */
export function agrees(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = REORDERING_TOLERANCE): boolean {
  let scale = 1
  for (let at = 0; at < b.length; at++) if (Number.isFinite(b[at])) scale = Math.max(scale, Math.abs(b[at]))
  return (
    a.length === b.length &&
    Array.from(a).every((value, at) => Object.is(value, b[at]) || Math.abs(value - b[at]) <= tolerance * scale)
  )
}

function isStack(both: Tensor | undefined, first: Tensor | undefined, second: Tensor | undefined): boolean {
  if (both === undefined || first === undefined || second === undefined) return false
  return agrees(numbers(both), [...numbers(first), ...numbers(second)])
}

/** A numeric tensor's values as they are; integers as numbers, float16 as what its bits mean. */
export function numbers(tensor: Tensor): readonly number[] {
  return Array.from(widenTensor(tensor).data as ArrayLike<number | bigint>, Number)
}
