import { describe, expect, test } from '@jest/globals'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { dropPValue } from '../../src/comparison/paired.js'
import { detectableDrop, samplesNeeded } from '../../src/comparison/power.js'

describe('images needed', () => {
  test('is Connor’s number of pairs when nothing is allowed', () => {
    // Connor 1987, Biometrics 43:207–211: (z_α √ψ + z_β √(ψ − δ²))² / δ² with ψ = 0.2, δ = 0.1:
    // (1.959964 · 0.447214 + 0.841621 · 0.435890)² / 0.01 = 154.6; at α/2 = 0.005: (2.575829 · 0.447214 + 0.366854)² / 0.01 = 230.7.
    expect(samplesNeeded({ samples: 100, lost: 15, gained: 5 }, 0, 0.025)).toBe(155)
    expect(samplesNeeded({ samples: 100, lost: 15, gained: 5 }, 0, 0.005)).toBe(231)
    // All discordant pairs on one side: (1.959964 · 0.316228 + 0.841621 · 0.3)² / 0.01 = 76.1.
    expect(samplesNeeded({ samples: 100, lost: 10, gained: 0 }, 0, 0.025)).toBe(77)
  })

  test('gives the promised power beside a drop that is allowed', () => {
    const observed = { samples: 100, lost: 8, gained: 3 }
    const samples = samplesNeeded(observed, 0.01, 0.05) ?? 0
    const random = xoroshiro128plus(3)
    let rejected = 0
    for (let trial = 0; trial < 2000; trial++) {
      let [lost, gained] = [0, 0]
      for (let image = 0; image < samples; image++) {
        const draw = uniformFloat64(random)
        if (draw < 0.08) lost++
        else if (draw < 0.11) gained++
      }
      if (dropPValue({ samples, lost, gained }, 0.01) <= 0.05) rejected++
    }
    // Four standard errors of 0.8 over 2,000 trials are 0.036; the normal approximation takes the rest.
    expect(Math.abs(rejected / 2000 - 0.8)).toBeLessThan(0.045)
  })

  test('has no answer for a drop that is allowed', () => {
    expect(samplesNeeded({ samples: 500, lost: 3, gained: 3 }, 0.01, 0.05)).toBeUndefined()
    expect(samplesNeeded({ samples: 500, lost: 0, gained: 0 }, 0, 0.05)).toBeUndefined()
  })
})

describe('detectable drop', () => {
  test('and images needed are inverse to each other', () => {
    const counts = { samples: 155, lost: 12, gained: 155 * 0.05 }
    const drop = detectableDrop(counts, 0, 0.025) ?? 0
    // 154.6 pairs show a drop of 0.1; 155 show one slightly smaller.
    expect(drop).toBeGreaterThan(0.099)
    expect(drop).toBeLessThan(0.1)
  })

  test('without any disagreement it follows from the number of images alone', () => {
    // Nothing allowed, nothing gained: √n δ = z_α √δ + z_β √(δ − δ²); δ = 0.01229 solves it for n = 500 (by hand:
    // 0.27481 = 1.644854 · 0.110860 + 0.841621 · 0.110177).
    const drop = detectableDrop({ samples: 500, lost: 0, gained: 0 }, 0, 0.05)
    expect(drop).toBeCloseTo(0.0123, 4)
  })

  test('is unknown when no drop could be shown with so few images', () => {
    // One image that is lost gives a statistic of about 1, ten such images one of about 3.
    expect(detectableDrop({ samples: 1, lost: 0, gained: 0 }, 0.01, 0.05)).toBeUndefined()
    expect(detectableDrop({ samples: 10, lost: 0, gained: 0 }, 0.01, 0.05)).toBeDefined()
    expect(detectableDrop({ samples: 2, lost: 0, gained: 1 }, 0.01, 0.05)).toBeUndefined()
  })
})
