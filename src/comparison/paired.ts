import normalCdf from '@stdlib/stats-base-dists-normal-cdf'
import normalQuantile from '@stdlib/stats-base-dists-normal-quantile'

/**
 * Two models on the same images: of `samples` images, `lost` held in the baseline only (Tango's b) and `gained` in the
 * candidate only (c). The images on which both agree carry no information about the difference but their number.
 */
export interface PairedCounts {
  readonly samples: number
  readonly lost: number
  readonly gained: number
}

/**
 * Score statistic of H0: p_lost − p_gained = `difference` (a fraction of 1, in [−1, 1]); standard normal under H0, positive
 * when more was lost than H0 says. Tango 1998, Statistics in Medicine 17:891–908. Without any evidence against H0 (no
 * discordant pair and difference 0) it is 0.
 */
export function scoreStatistic({ samples, lost, gained }: PairedCounts, difference: number): number {
  // The mirror image for negative differences, where the formula below would cancel.
  if (difference < 0) return -scoreStatistic({ samples, lost: gained, gained: lost }, -difference)
  const distance = lost - gained - samples * difference
  const gainedRate = constrainedGainedRate({ samples, lost, gained }, difference)
  const variance = samples * (2 * gainedRate + difference * (1 - difference))
  if (variance > 0) return distance / Math.sqrt(variance)
  return distance === 0 ? 0 : Math.sign(distance) * Infinity
}

/**
 * Maximum likelihood estimate of p_gained under p_lost − p_gained = `difference` ≥ 0 (Tango 1998): the larger root of
 * A q² + B q + C = 0. Works for rates as for counts (samples 1).
 */
export function constrainedGainedRate({ samples, lost, gained }: PairedCounts, difference: number): number {
  const a = 2 * samples
  const b = (2 * samples - lost + gained) * difference - lost - gained
  const c = -gained * difference * (1 - difference)
  const root = Math.sqrt(Math.max(0, b * b - 4 * a * c))
  // Both forms are the same root; each is free of cancellation for its sign of b.
  return b > 0 ? (-2 * c) / (b + root) : (root - b) / (2 * a)
}

/**
 * One-sided p-value of H0: p_lost − p_gained ≤ `allowed` (a fraction of 1), by the score test. It is asymptotic: a nominal
 * 5 % is up to about 7 % where few images are discordant and the true drop is just what is allowed.
 */
export function dropPValue(counts: PairedCounts, allowed: number): number {
  return normalCdf(-scoreStatistic(counts, allowed), 0, 1)
}

/** Two-sided interval of p_lost − p_gained (fractions of 1): the differences that the score test does not reject. */
export function scoreInterval(counts: PairedCounts, confidence = 0.95): readonly [number, number] {
  const quantile = normalQuantile((1 + confidence) / 2, 0, 1)
  const observed = (counts.lost - counts.gained) / counts.samples
  // The statistic falls as the difference grows, so each end is found by halving.
  const lower = bisect(-1, observed, (difference) => scoreStatistic(counts, difference) <= quantile)
  const upper = bisect(observed, 1, (difference) => scoreStatistic(counts, difference) <= -quantile)
  return [lower, upper]
}

/** Where `reached` turns from false to true between `low` and `high`; `high` when it is never true. To 2⁻⁵³ of the span. */
export function bisect(low: number, high: number, reached: (value: number) => boolean): number {
  for (let halving = 0; halving < 53; halving++) {
    const middle = (low + high) / 2
    if (reached(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * Two-sided exact McNemar test of "lost as often as gained" (McNemar 1947): twice the smaller tail of a binomial of
 * probability ½ over the discordant pairs, at most 1.
 */
export function mcnemarExact(lost: number, gained: number): number {
  const pairs = lost + gained
  const fewer = Math.min(lost, gained)
  // In logarithms, because 2⁻ⁿ is 0 in float64 from n = 1,075 on; the largest term first, the others relative to it.
  let logTerm = -pairs * Math.LN2
  for (let k = 1; k <= fewer; k++) logTerm += Math.log((pairs - fewer + k) / k)
  let term = 1
  let sum = 1
  for (let k = fewer; k > 0; k--) {
    term *= k / (pairs - k + 1)
    sum += term
  }
  return Math.min(1, 2 * Math.exp(logTerm + Math.log(sum)))
}

/** Holm's step-down correction (Holm 1979, Scandinavian Journal of Statistics 6:65–70): adjusted p-values, in the order given. */
export function holm(pValues: readonly number[]): number[] {
  const ascending = pValues.map((_, place) => place).sort((one, other) => pValues[one] - pValues[other])
  const adjusted = new Array<number>(pValues.length)
  let largest = 0
  ascending.forEach((place, rank) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - rank) * pValues[place]))
    adjusted[place] = largest
  })
  return adjusted
}
