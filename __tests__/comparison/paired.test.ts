import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { dropPValue, holm, mcnemarExact, scoreInterval, scoreStatistic } from '../../src/comparison/paired.js'

describe('score interval', () => {
  // R 4.6.1, package PropCIs 0.3.0, scoreci.mp(gained, lost, n, level): Tango's interval of (lost − gained) / n. It halves
  // down to 1e-7, hence the tolerance.
  test.each([
    [7, 0, 14, 0.95, 0.177034, 0.732008],
    [0, 7, 14, 0.95, -0.732008, -0.177034],
    [0, 0, 14, 0.95, -0.215311, 0.215311],
    [3, 2, 14, 0.95, -0.261078, 0.388996],
    [1, 0, 14, 0.95, -0.159262, 0.314687],
    [5, 5, 16, 0.95, -0.367507, 0.367507],
    [13, 1, 14, 0.95, 0.370626, 0.974556],
    [14, 0, 14, 0.95, 0.569378, 1],
    [0, 14, 14, 0.95, -1, -0.569378],
    [2, 9, 20, 0.95, -0.601632, -0.027414],
    [10, 3, 50, 0.95, -0.001498, 0.285475],
    [25, 12, 200, 0.95, 0.005636, 0.126941],
    [4, 1, 28, 0.9, -0.030011, 0.256197],
    [25, 12, 200, 0.9, 0.015476, 0.116447],
  ])('lost %i, gained %i of %i at %d is R PropCIs’ interval', (lost, gained, samples, level, lower, upper) => {
    const interval = scoreInterval({ samples, lost, gained }, level)
    expect(Math.abs(interval[0] - lower)).toBeLessThan(1e-6)
    expect(Math.abs(interval[1] - upper)).toBeLessThan(1e-6)
  })

  // Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables (2017), chapter 8, as printed by the tests of
  // their R package contingencytables and by ratesci: complete response (Cavo 2012) and airway hyper-responsiveness (Bentur 2009).
  test.each([
    ['Cavo 2012', 6, 16, 161, -0.124, -0.0054, 4],
    ['Bentur 2009', 1, 7, 21, -0.517, -0.026, 3],
  ])('%s is as printed', (_, lost, gained, samples, lower, upper, digits) => {
    const interval = scoreInterval({ samples, lost, gained })
    expect(interval[0]).toBeCloseTo(lower, digits)
    expect(interval[1]).toBeCloseTo(upper, digits)
  })

  test('covers the true drop about as often as it says', () => {
    const random = xoroshiro128plus(1)
    const [samples, pLost, pGained, trials] = [200, 0.06, 0.02, 2000]
    let covered = 0
    for (let trial = 0; trial < trials; trial++) {
      let [lost, gained] = [0, 0]
      for (let image = 0; image < samples; image++) {
        const draw = uniformFloat64(random)
        if (draw < pLost) lost++
        else if (draw < pLost + pGained) gained++
      }
      const [lower, upper] = scoreInterval({ samples, lost, gained })
      if (lower <= pLost - pGained && pLost - pGained <= upper) covered++
    }
    // Four standard errors of a binomial proportion 0.95 over 2,000 trials are 0.0195.
    expect(Math.abs(covered / trials - 0.95)).toBeLessThan(0.02)
  })

  test('contains the observed drop, stays inside [−1, 1] and mirrors when the models change places', () => {
    const counts = fc
      .tuple(fc.nat(200), fc.nat(200), fc.integer({ min: 1, max: 200 }))
      .map(([lost, gained, rest]) => ({ lost, gained, samples: lost + gained + rest }))
    fc.assert(
      fc.property(counts, ({ lost, gained, samples }) => {
        const [lower, upper] = scoreInterval({ samples, lost, gained })
        const [mirroredLower, mirroredUpper] = scoreInterval({ samples, lost: gained, gained: lost })
        const observed = (lost - gained) / samples
        expect(-1 <= lower && lower < observed && observed < upper && upper <= 1).toBe(true)
        expect(mirroredLower).toBeCloseTo(-upper, 12)
        expect(mirroredUpper).toBeCloseTo(-lower, 12)
      }),
    )
  })
})

describe('one-sided test of the drop', () => {
  test('with nothing allowed it is the uncorrected McNemar statistic', () => {
    // (b − c) / √(b + c) = 10 / √22 = 2.1320; contingencytables prints Z = −2.132 and a two-sided P of 0.033006 for Cavo 2012.
    expect(scoreStatistic({ samples: 161, lost: 16, gained: 6 }, 0)).toBeCloseTo(10 / Math.sqrt(22), 12)
    expect(2 * dropPValue({ samples: 161, lost: 16, gained: 6 }, 0)).toBeCloseTo(0.033006, 6)
  })

  test('with nothing gained it is the score test of one proportion', () => {
    // 9 of 500 against 1 %: (9 − 5) / √(500 · 0.01 · 0.99).
    const statistic = scoreStatistic({ samples: 500, lost: 9, gained: 0 }, 0.01)
    expect(statistic).toBeCloseTo(4 / Math.sqrt(4.95), 12)
  })

  test('no disagreement at all is no evidence, and not a division by zero', () => {
    expect(dropPValue({ samples: 500, lost: 0, gained: 0 }, 0)).toBe(0.5)
    expect(dropPValue({ samples: 500, lost: 0, gained: 0 }, 0.01)).toBeGreaterThan(0.98)
    expect(dropPValue({ samples: 1, lost: 1, gained: 0 }, 1)).toBe(0.5)
    expect(dropPValue({ samples: 1, lost: 0, gained: 0 }, 1)).toBe(1)
    expect(dropPValue({ samples: 1, lost: 1, gained: 0 }, 0)).toBeCloseTo(0.158655, 6) // 1 − Φ(1)
  })

  test('a true drop of just what is allowed is rejected about as rarely as the level says', () => {
    const random = xoroshiro128plus(2)
    const [samples, pLost, pGained, allowed, trials] = [1000, 0.06, 0.05, 0.01, 2000]
    let rejected = 0
    for (let trial = 0; trial < trials; trial++) {
      let [lost, gained] = [0, 0]
      for (let image = 0; image < samples; image++) {
        const draw = uniformFloat64(random)
        if (draw < pLost) lost++
        else if (draw < pLost + pGained) gained++
      }
      if (dropPValue({ samples, lost, gained }, allowed) <= 0.05) rejected++
    }
    // Four standard errors of a binomial proportion 0.05 over 2,000 trials are 0.0195.
    expect(Math.abs(rejected / trials - 0.05)).toBeLessThan(0.02)
  })
})

describe('exact McNemar test', () => {
  test.each([
    // By hand with integers: 2 · Σ_{k ≤ fewer} C(n, k) / 2ⁿ.
    [0, 0, 1],
    [1, 0, 1],
    [0, 5, 2 / 2 ** 5],
    [1, 7, (2 * (1 + 8)) / 2 ** 8],
    [9, 2, (2 * (1 + 11 + 55)) / 2 ** 11],
    [5, 5, 1],
    [5, 6, 1],
  ])('lost %i, gained %i', (lost, gained, expected) => {
    expect(mcnemarExact(lost, gained)).toBeCloseTo(expected, 12)
  })

  test('is what R contingencytables prints for Cavo 2012', () => {
    expect(mcnemarExact(6, 16)).toBeCloseTo(0.052479, 6)
  })

  test('ten thousand discordant pairs neither underflow nor lose the answer', () => {
    // The same sum in integers, exactly.
    const [pairs, fewer] = [10_000, 4_800]
    let [term, sum] = [1n, 1n]
    for (let k = 1; k <= fewer; k++) {
      term = (term * BigInt(pairs - k + 1)) / BigInt(k)
      sum += term
    }
    const digits = 10n ** 20n
    const exact = Number((2n * sum * digits) / 2n ** BigInt(pairs)) / Number(digits)
    expect(exact).toBeGreaterThan(0)
    expect(mcnemarExact(fewer, pairs - fewer) / exact).toBeCloseTo(1, 9)
    expect(mcnemarExact(5_000, 5_000)).toBe(1)
    expect(mcnemarExact(0, 10_000)).toBe(0)
  })
})

describe('Holm’s correction', () => {
  test('steps down as in the textbook and keeps the order given', () => {
    // Sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1, then made monotone: 0.02, 0.03, 0.06, 0.06 (R: p.adjust(…, "holm")).
    expect(holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02])
  })

  test('never exceeds 1, and one test needs no correction', () => {
    expect(holm([0.7, 0.9])).toEqual([1, 1])
    expect(holm([0.04])).toEqual([0.04])
    expect(holm([])).toEqual([])
  })
})
