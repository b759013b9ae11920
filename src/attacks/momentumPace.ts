import type { Pace, Summit } from './ascent.js'
import { stepSizeRule } from './stepSizeRule.js'
import type { ThreatModel } from './threat.js'

/** α: the share of the new step; the rest is momentum. */
const ALPHA = 0.75

/**
 * The steps of APGD under Linf and L2 (Croce and Hein 2020, algorithm 1, lines 7 and 8): z = P(x + η·direction), then
 * x′ = P(x + α(z − x) + (1 − α)(x − x_before)); the first step, of 2ε, has no momentum.
 */
export function momentumPace(
  threat: ThreatModel,
  start: Summit,
  { steps, rho }: { readonly steps: number; readonly rho: number },
): Pace {
  const rule = stepSizeRule(2 * threat.epsilon, { steps, rho, loss: start.loss })
  let before: Float32Array | undefined
  return {
    step(point, gradient) {
      const next = threat.step(point, gradient, rule.size)
      if (before) {
        for (let i = 0; i < next.length; i++)
          next[i] = point[i] + ALPHA * (next[i] - point[i]) + (1 - ALPHA) * (point[i] - before[i])
      }
      const moved = before ? threat.project(next) : next
      before = point
      return moved
    },
    after: (loss, summit) => rule.after(loss, summit.loss),
  }
}
