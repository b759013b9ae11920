import { checkpoints } from './checkpoints.js'

export interface StepSizeRule {
  readonly size: number
  /**
   * To be told of each step, in order: the loss where it ended, and the best so far.
   *
   * @returns whether the step size was halved; the ascent then goes on from its best point.
   */
  after(loss: number, best: number): boolean
}

/**
 * APGD's step size (Croce and Hein 2020, section 3.1). It is halved at a checkpoint if, since the last one, (1) at most ρ of
 * the steps raised the loss, or (2) the best loss has not risen although the step size was kept. (In (1) the paper has
 * "fewer than"; this is what the authors run.)
 */
export function stepSizeRule(
  initial: number,
  { steps, rho, loss: start }: { readonly steps: number; readonly rho: number; readonly loss: number },
): StepSizeRule {
  const due = new Set(checkpoints(steps))
  let size = initial
  let step = 0
  let previousLoss = start
  // Since the last checkpoint:
  let taken = 0
  let rises = 0
  let bestBefore = start
  // The first checkpoint has none before it to compare with.
  let kept = false

  return {
    get size() {
      return size
    },
    after(loss, best) {
      step++
      taken++
      if (loss > previousLoss) rises++
      previousLoss = loss
      if (!due.has(step)) return false

      const halved = rises <= rho * taken || (kept && !(best > bestBefore))
      if (halved) size /= 2
      kept = !halved
      bestBefore = best
      taken = 0
      rises = 0
      return halved
    },
  }
}
