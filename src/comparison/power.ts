import normalQuantile from '@stdlib/stats-base-dists-normal-quantile'
import { bisect, constrainedGainedRate } from './paired.js'
import type { PairedCounts } from './paired.js'

const POWER = 0.8

/** A truth: fractions of images that are lost and gained. */
interface Rates {
  readonly lost: number
  readonly gained: number
}

/**
 * Smallest true drop (fraction of 1) that the one-sided score test at `level` would have shown to exceed `allowed` with 80 %
 * power on as many images, when images are gained as often as they were here. Undefined when no drop would be shown.
 */
export function detectableDrop(counts: PairedCounts, allowed: number, level: number): number | undefined {
  const gained = counts.gained / counts.samples
  const largest = 1 - 2 * gained
  const shown = (drop: number) => requiredSamples({ lost: gained + drop, gained }, allowed, level) <= counts.samples
  return largest > allowed && shown(largest) ? bisect(allowed, largest, shown) : undefined
}

/**
 * Images with which the one-sided score test at `level` would show the observed drop to exceed `allowed` with 80 % power, if
 * the observed rates are the true ones. Undefined where the observed drop is within what is allowed.
 */
export function samplesNeeded(counts: PairedCounts, allowed: number, level: number): number | undefined {
  const rates = { lost: counts.lost / counts.samples, gained: counts.gained / counts.samples }
  const needed = requiredSamples(rates, allowed, level)
  return Number.isFinite(needed) ? Math.ceil(needed) : undefined
}

/**
 * From the statistic's limiting normal distribution: variance at the constrained estimate under H0, multinomial variance
 * under the truth. With `allowed` 0 it is Connor's formula (1987, Biometrics 43:207–211).
 */
function requiredSamples({ lost, gained }: Rates, allowed: number, level: number): number {
  const drop = lost - gained
  if (drop <= allowed) return Infinity
  const constrained = constrainedGainedRate({ samples: 1, lost, gained }, allowed)
  const nullDeviation = Math.sqrt(2 * constrained + allowed * (1 - allowed))
  const trueDeviation = Math.sqrt(Math.max(0, lost + gained - drop * drop))
  const quantile = (probability: number) => normalQuantile(probability, 0, 1)
  return ((quantile(1 - level) * nullDeviation + quantile(POWER) * trueDeviation) / (drop - allowed)) ** 2
}
