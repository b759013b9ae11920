import type { Graph, Tensor } from '../onnx/graph.js'
import { agrees, numbers, REORDERING_TOLERANCE } from '../onnx/settle.js'
import { shortestRoundoff } from '../onnx/widen.js'
import { batchFacts } from './originalModel.js'
import type { BatchFacts, OriginalModel } from './originalModel.js'

/**
 * A model in float16 rounds every value it passes on, its gradient's model none. Errors of so many roundings do not all
 * point one way: 32 that do add up to as much as 32² = 1024 that do not.
 */
const ROUNDINGS = 32

/**
 * Sums in another order fall on the other side of half a step now and then: a value moves by one step, 1/256 of its range,
 * and what follows by a few. Averages of four whole numbers are half a step every fourth time: there onnxruntime's own
 * kernels of two opsets round apart, by up to 6/256 of the output of fixtures/kws. Twice that is still far below what a
 * wrong scale or a lost zero point does.
 */
export const STEPS_TOLERANCE = 0.05

/** How much farther apart than the order of sums may put them are outputs that depend on the batch. */
export const SURELY = 10

/**
 * Of the largest output: what is farther apart than this does not compute the same.
 *
 * @param canonical the model, before it was widened
 * @param rounds whether it rounds on its way
 */
export function surelyApart(canonical: Graph, rounds: boolean): number {
  const sums = Math.max(SURELY * REORDERING_TOLERANCE, ROUNDINGS * shortestRoundoff(canonical))
  return rounds ? Math.max(sums, STEPS_TOLERANCE) : sums
}

/**
 * Runs the original and the rewritten model on the same images.
 *
 * @param surrogate what the rewritten model gives for the first `count` samples
 * @param model.canonical before it was widened
 * @param model.rounds whether it rounds on its way
 * @returns the batch the original can be run with: any, when images together give what each gives alone.
 * @throws Error when the rewritten model computes something else: its gradient would be of another function.
 */
export async function checkOriginal(
  original: OriginalModel,
  surrogate: (count: number) => Promise<Tensor>,
  { canonical, rounds }: { readonly canonical: Graph; readonly rounds: boolean },
): Promise<BatchFacts> {
  const own = original.declared ?? 1
  const [rewritten, expected] = [numbers(await surrogate(own)), numbers(await original.run(0, own))]
  const tolerance = Math.max(REORDERING_TOLERANCE, ROUNDINGS * shortestRoundoff(canonical))
  const coarse = rounds ? Math.max(tolerance, STEPS_TOLERANCE) : tolerance
  if (!agrees(rewritten, expected, coarse))
    throw new Error('the rewritten model gives other outputs than the original: its gradient cannot be trusted')
  return batchFacts(original, tolerance, Math.max(coarse, SURELY * tolerance))
}
