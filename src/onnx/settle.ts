import { dependents } from './dependence.js'
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

/** A graph as it was run. */
export interface SettledByRunning extends Settled {
  /** The graph's outputs for the first image, or for a batch of the first where it has a batch of its own. */
  readonly answer: ReadonlyMap<string, Tensor>
}

/** How closely images together are compared with each alone. */
export interface Scrutiny {
  /** Of the largest number: by how much they may differ. */
  readonly tolerance: number
  /** The most images that are tried together. */
  readonly images: 2 | 3
  /** Numbers of the largest constant that is folded to lift a batch: weights in int8 grow fourfold when they are dequantised. */
  readonly folded: number
}

/** Images to try a model on, `count` of them from the `first`-th: the same number always gives the same image. */
export type Samples = (first: number, count: number) => ReadonlyMap<string, Tensor>

/**
 * Runs the graph to learn what it does instead of inferring it, and frees its batch: as it is where any batch runs
 * through it already, else by rewriting its reshapes (`liftBatch`). Either is accepted only if images together give what
 * each gives alone, at every step.
 *
 * @param declared the batch the model declares; undefined where it is symbolic.
 * @param scrutiny how closely; less than `CLOSE` only where the graph is settled once more
 */
export async function settle(
  graph: Graph,
  declared: number | undefined,
  samples: Samples,
  run: RunModel,
  scrutiny = CLOSE,
): Promise<SettledByRunning> {
  const attempt = await tryFree(freeBatch(graph), samples, run, scrutiny)
  if (attempt.settled) return attempt.settled
  const own = declared ?? 1
  const values = (own === 1 ? attempt.first : undefined) ?? (await observer(graph, run).all(samples(0, own)))
  const lifted = own === 1 ? liftBatch(foldConstants(graph, [values], scrutiny.folded), values) : undefined
  const again = lifted && (await tryFree(freeBatch(lifted), samples, run, scrutiny))
  if (again?.settled) return again.settled
  const folded = foldConstants(graph, [values])
  return { graph: folded, observation: observeFixed(values), batch: own, answer: outputsOf(graph, values) }
}

interface Attempt {
  /** What one image gives, at every step; undefined where not even one runs. */
  readonly first?: ReadonlyMap<string, Tensor>
  /** Undefined where images together do not give what each gives alone. */
  readonly settled?: SettledByRunning
}

/** The first image has every brightness, the second is dark, the third is bright: whatever is shared between them shows. */
async function tryFree(
  graph: Graph,
  samples: Samples,
  run: RunModel,
  { tolerance, images }: Scrutiny,
): Promise<Attempt> {
  const observed = observer(graph, run)
  const first = await orNothing(observed.all(samples(0, 1)))
  const second = first && (await orNothing(observed.all(samples(1, 1), first)))
  const both = second && (await orNothing(observed.all(samples(0, 2), first)))
  const observation = both && observeBatch(first, both)
  if (!observation || !keepsImagesApart(graph, observation, { first, second, both }, tolerance)) return { first }
  if (images > 2) {
    const three = await orNothing(observed.outputs(samples(0, 3)))
    const third = three && (await orNothing(observed.outputs(samples(2, 1))))
    const isApart = graph.outputs.every(({ name }) =>
      isStack(three?.get(name), [first.get(name), second.get(name), third?.get(name)], tolerance),
    )
    if (!isApart) return { first }
  }
  const folded = foldConstants(graph, [first, both])
  return { first, settled: { graph: folded, observation, batch: 'free', answer: outputsOf(graph, first) } }
}

/** The outputs among all that was seen, which may be as large as the weights. */
function outputsOf({ outputs }: Graph, values: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const wanted = new Set(outputs.map(({ name }) => name))
  return new Map([...values].filter(([name]) => wanted.has(name)))
}

/** A graph may not run with every number of images. */
function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch(() => undefined)
}

/** Whether every value that depends on the images has rows for each, and the rows are what each image gives alone. */
function keepsImagesApart(
  graph: Graph,
  observation: Observation,
  { first, second, both }: Readonly<Record<'first' | 'second' | 'both', ReadonlyMap<string, Tensor>>>,
  tolerance: number,
): boolean {
  const images = graph.inputs.map(({ name }) => name)
  // Noise of one shape for all images has no row for each.
  const dependent = dependents(graph.nodes, images, undefined, () => false)
  return [...dependent].every((name) => {
    const { batchAxis, dims, type } = observation.get(name) ?? { type: undefined, dims: [] }
    const [one, other, together] = [first.get(name), second.get(name), both.get(name)]
    if (type === undefined) return true // an output that was left out
    if (batchAxis === undefined) return false
    if (!type.startsWith('float')) return true
    // The batch may stand inside its axis, as where [T, N, D] was merged to [T·N, D].
    const outside = dims.slice(0, batchAxis).reduce((product, size) => product * size, 1)
    return divisors(dims[batchAxis]).some((merged) => isStack(together, [one, other], tolerance, outside * merged))
  })
}

function divisors(of: number): readonly number[] {
  return Array.from({ length: of }, (_, at) => at + 1).filter((divisor) => of % divisor === 0)
}

/**
 * Sums in another order differ by a few units in the last place of float32 (6e−8 relative), some layers deep: 1e−4 of the
 * largest value is far above that and far below what a mixed-up batch does.
 */
export const REORDERING_TOLERANCE = 1e-4

/** As a batch has to be looked at before it is called free. */
export const CLOSE: Scrutiny = { tolerance: REORDERING_TOLERANCE, images: 3, folded: Infinity }

/** Whether two tensors agree up to the order of summation, or to another share of the largest number. */
export function agrees(a: ArrayLike<number>, b: ArrayLike<number>, tolerance = REORDERING_TOLERANCE): boolean {
  return a.length === b.length && isNear(a, 0, b, 0, b.length, tolerance * largest(b))
}

/** The largest finite number without its sign. */
function largest(values: ArrayLike<number>): number {
  let found = 0
  for (let at = 0; at < values.length; at++) {
    const size = Math.abs(values[at])
    if (size > found && size < Infinity) found = size
  }
  return found
}

/** Whether `count` numbers of two tensors, from here in the one and from there in the other, are within `apart`. */
function isNear(
  a: ArrayLike<number>,
  here: number,
  b: ArrayLike<number>,
  there: number,
  count: number,
  apart: number,
): boolean {
  for (let at = 0; at < count; at++) {
    const one = a[here + at]
    const other = b[there + at]
    if (!(Math.abs(one - other) <= apart) && !Object.is(one, other)) return false
  }
  return true
}

/** Whether `together` holds in each of `outer` parts the images' values one after the other. */
function isStack(
  together: Tensor | undefined,
  alone: readonly (Tensor | undefined)[],
  tolerance: number,
  outer = 1,
): boolean {
  if (together === undefined) return false
  const all = numbers(together)
  const size = all.length / alone.length
  const block = size / outer
  // In place: the values of a network together are hundreds of megabytes.
  return alone.every((one, image) => {
    if (one === undefined || one.data.length !== size) return false
    const own = numbers(one)
    const apart = tolerance * largest(own)
    return Array.from({ length: outer }, (_, part) => part).every((part) =>
      isNear(all, (part * alone.length + image) * block, own, part * block, block, apart),
    )
  })
}

/** A numeric tensor's values as they are; integers as numbers, float16 as what its bits mean. */
export function numbers(tensor: Tensor): ArrayLike<number> {
  const { data } = widenTensor(tensor)
  if (data instanceof Float32Array || data instanceof Float64Array) return data
  return Array.from(data as ArrayLike<number | bigint>, Number)
}
