import { describe, expect, test } from '@jest/globals'
import { answered } from '../../src/comparison/acceptance.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { comparisonSchema } from '../../src/comparison/schema.js'
import { UsageError } from '../../src/errors.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from './handmade.js'

const rowOf = (comparison: ReturnType<typeof compare>, id: string) => {
  const row = comparison.rows.find((one) => one.id === id)
  if (!row) throw new Error(`no row ${id}`)
  return row
}

describe('pairing', () => {
  test('60 images swapped at equal counts are seen: the interval widens, McNemar still says no difference', () => {
    // Robust before: images 0–99; now: 60–159. Both models have 100 of 200 robust.
    const baseline = handmadeBaseline(fates('R', 100, 'f', 100))
    const candidate = handmadeResults(fates('f', 60, 'R', 100, 'f', 40))
    const swapped = rowOf(compare(candidate, baseline, POLICY), 'linf-0.1')
    expect(swapped).toMatchObject({ baseline: 100, candidate: 100, drop: 0, mcnemar: 1 })
    expect(swapped.lost).toEqual(Array.from({ length: 60 }, (_, index) => index))
    expect(swapped.gained).toEqual(Array.from({ length: 60 }, (_, index) => 100 + index))
    const same = rowOf(compare(handmadeResults(fates('R', 100, 'f', 100)), baseline, POLICY), 'linf-0.1')
    // z = 1.96. Nothing discordant: n δ² = z² δ (1 − δ) gives δ = z² / (n + z²) = 1.885 points. 60 against 60, by Tango's
    // formula with p̂ ≈ 0.3: about z √(120) / 200 = 10.7 points.
    expect(same.interval[1]).toBeCloseTo(1.885, 2)
    expect(swapped.interval[1]).toBeGreaterThan(10)
    expect(swapped.interval[1]).toBeLessThan(11)
  })

  test('a small one-sided change is proven although counts alone would call it chance', () => {
    // 5,000 of 10,000 robust before, 4,850 now, and no image the other way. Unpaired, allowing 1 point, z = (0.015 − 0.01) /
    // √(2 · 0.25 / 10,000) = 0.7; paired, z = (150 − 100) / √(10,000 · 0.01 · 0.99) = 5.03, p = 1 − Φ(5.03) = 2.5e-7.
    const baseline = handmadeBaseline(fates('R', 5_000, 'f', 5_000))
    const candidate = handmadeResults(fates('R', 4_850, 'f', 5_150))
    const comparison = compare(candidate, baseline, POLICY)
    const row = rowOf(comparison, 'linf-0.1')
    expect(row.drop).toBe(1.5)
    expect(row.pValue).toBeGreaterThan(2e-7)
    expect(row.pValue).toBeLessThan(3e-7)
    expect(comparison.verdict.outcome).toBe('regression')
  })

  test('the same counts with as many images the other way are not proven', () => {
    // Lost 1,150, gained 1,000: z ≈ 50 / √2,150 ≈ 1.08.
    const baseline = handmadeBaseline(fates('R', 5_000, 'f', 5_000))
    const candidate = handmadeResults(fates('f', 1_150, 'R', 4_850, 'f', 4_000))
    const comparison = compare(candidate, baseline, POLICY)
    expect(rowOf(comparison, 'linf-0.1')).toMatchObject({ baseline: 5_000, candidate: 4_850, drop: 1.5 })
    expect(comparison.verdict.outcome).toBe('inconclusive')
  })
})

describe('rows', () => {
  // Ten images. Baseline: 6 robust, 1 each to FGSM, PGD, PGD-margin, wrong. Candidate: 3 robust, 2 each to the attacks, 1 wrong.
  const comparison = compare(handmadeResults('RRRffppmmw'), handmadeBaseline('RRRRRRfpmw'), POLICY)

  test('are clean, each attack, worst case; clean and worst case decide', () => {
    expect(comparison.rows.map(({ id, kind, decides }) => [id, kind, decides])).toEqual([
      ['clean', 'clean', true],
      ['linf-0.1/fgsm', 'attack', false],
      ['linf-0.1/pgd', 'attack', false],
      ['linf-0.1/pgd-margin', 'attack', false],
      ['linf-0.1', 'worst-case', true],
    ])
    expect(comparison.rows.map(({ adjustedPValue }) => adjustedPValue !== undefined)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ])
  })

  test('count what withstood each attack alone, and for survivors only also those before it', () => {
    expect(comparison.rows.map(({ baseline, candidate }) => [baseline, candidate])).toEqual([
      [9, 9],
      [8, 7], // not wrong, not f
      [7, 5], // nor p
      [6, 3], // nor broken by those before pgd-margin
      [6, 3],
    ])
    expect(rowOf(comparison, 'linf-0.1/pgd-margin').survivorsOnly).toBe(true)
  })

  test('agree with the accuracies of the results files', () => {
    const { candidate, rows } = comparison
    expect(candidate?.cleanAccuracy).toBe(0.9)
    expect(candidate?.robustAccuracy).toEqual({ 'linf-0.1': 0.3 })
    for (const row of rows.filter(({ kind }) => kind === 'attack'))
      expect(candidate?.attacks['linf-0.1'][row.attack ?? '']).toBe(row.candidate / row.samples)
  })

  test('Holm’s correction is over clean accuracy and every threat', () => {
    // Clean is the same (p = ½-ish), so the smallest of three p-values is tripled.
    const baseline = handmadeBaseline([fates('R', 200), fates('R', 200)])
    const candidate = handmadeResults([fates('R', 190, 'f', 10), fates('R', 200)])
    const row = rowOf(compare(candidate, baseline, POLICY), 'linf-0.1')
    expect(row.adjustedPValue).toBeCloseTo(3 * row.pValue, 12)
  })

  test('per class, robust images of both models', () => {
    const { classes } = compare(
      handmadeResults('fRRRRRRRRRfR', {
        data: { name: 'x', sha256: 'd'.repeat(64), samples: 12, classNames: ['Shirt'] },
      }),
      handmadeBaseline('RRRRRRRRRRRR'),
      POLICY,
    )
    expect(classes[0]).toEqual({ label: 0, name: 'Shirt', threat: 'linf-0.1', samples: 2, baseline: 2, candidate: 0 })
    expect(classes[1]).toEqual({ label: 1, threat: 'linf-0.1', samples: 2, baseline: 2, candidate: 2 })
    expect(classes).toHaveLength(10)
  })

  test('identical models need no special case: nothing lost, no division by zero', () => {
    const { rows } = compare(handmadeResults(fates('R', 50)), handmadeBaseline(fates('R', 50)), {
      ...POLICY,
      maxRobustDrop: 0,
    })
    for (const row of rows) expect(row).toMatchObject({ drop: 0, lost: [], gained: [], mcnemar: 1 })
    for (const { pValue, interval } of rows) expect([pValue, ...interval].every(Number.isFinite)).toBe(true)
  })
})

describe('what is never compared', () => {
  const text = fates('R', 20)
  const other = handmadeBaseline(text)
  test.each([
    ['suite', { suite: { ...other.suite, name: 'quick' } }, /suite \(standard@1 and quick@1\)/],
    ['version', { suite: { ...other.suite, version: 2 } }, /suite \(standard@1 and standard@2\)/],
    ['attacks', { suite: { ...other.suite, attacks: other.suite.attacks.slice(1) } }, /differ in attacks/],
    ['data', { data: { ...other.data, sha256: 'e'.repeat(64) } }, /data sha256 \(d+ and e+\)/],
    ['seed', { seed: 7 }, /seed \(0 and 7\)/],
    ['ε', { threats: [{ ...other.threats[0], epsilon: 0.2 }] }, /differ in threats/],
  ])('another %s is refused by name', (_, changes, message) => {
    const attempt = () => compare(handmadeResults(text), { ...other, ...changes }, POLICY)
    expect(attempt).toThrow(UsageError)
    expect(attempt).toThrow(message)
  })

  test('all differences are named at once, in one line', () => {
    const attempt = () =>
      compare(handmadeResults(text), { ...other, seed: 1, suite: { ...other.suite, name: 'a\nb' } }, POLICY)
    expect(attempt).toThrow(/suite \(standard@1 and a b@1\); seed \(0 and 1\)/)
    expect(attempt).not.toThrow(/\n/)
  })

  test('another image or label at the same place', () => {
    const moved = other.samples.map((sample) => ({ ...sample, index: sample.index + 1 }))
    expect(() => compare(handmadeResults(text), { ...other, samples: moved }, POLICY)).toThrow(
      /entry 0 is image 0 .* image 1/,
    )
    const relabelled = other.samples.map((sample) => ({ ...sample, label: 3, predicted: 3 }))
    expect(() => compare(handmadeResults(text), { ...other, samples: relabelled }, POLICY)).toThrow(
      /label 0 .* label 3/,
    )
  })

  test('a shard is not the whole', () => {
    const shard = { ...other, samples: other.samples.slice(0, 5) }
    expect(() => compare(handmadeResults(text), shard, POLICY)).toThrow(/5 of 20 images: merge all shards/)
  })

  test('a results file whose samples contradict their attacks', () => {
    const [first, ...rest] = handmadeBaseline('f' + fates('R', 19)).samples
    const lied = { ...first, threats: { 'linf-0.1': { ...first.threats['linf-0.1'], robust: true } } }
    expect(() => compare(handmadeResults(text), { ...other, samples: [lied, ...rest] }, POLICY)).toThrow(
      /image 0 is robust/,
    )
  })

  test('the order of keys in a file is no difference', () => {
    const attacks = other.suite.attacks.map((attack) => Object.fromEntries(Object.entries(attack).reverse()))
    const reversed = { ...other, suite: { ...other.suite, attacks: attacks as typeof other.suite.attacks } }
    expect(compare(handmadeResults(text), reversed, POLICY).verdict.outcome).toBe('pass')
  })
})

describe('comparison.json', () => {
  test('its schema keeps every field of a comparison and of an error', () => {
    const comparison = compare(
      handmadeResults(fates('f', 30, 'R', 70), { flags: [{ code: 'x', message: 'y', samples: [1] }] }),
      handmadeBaseline(fates('R', 100)),
      { ...POLICY, minRobustAccuracy: 0.5, minCleanAccuracy: 0.5 },
    )
    const when = '2024-01-01T00:00:00Z'
    const acceptance = { who: 'someone', when, label: 'ok', pullRequest: 1, byAuthor: true, reported: when }
    const both = [answered(comparison, { acceptance }), answered(comparison, { appeal: 'Set it again.' })]
    for (const value of [...both, errorComparison('the worker died', { candidate: handmadeResults('RR') })]) {
      const read: unknown = JSON.parse(JSON.stringify(value))
      expect(comparisonSchema.parse(read)).toEqual(read)
    }
  })

  test('an error keeps what is known and blames whose evaluation broke', () => {
    const comparison = errorComparison('the worker died', { candidate: handmadeResults('RR') })
    expect(comparison).toMatchObject({
      failure: { model: 'baseline', message: 'the worker died' },
      verdict: { outcome: 'error', fails: true },
      candidate: { cleanAccuracy: 1 },
      rows: [],
      seed: 0,
    })
    expect(errorComparison('no')).toMatchObject({ failure: { message: 'no' }, threats: [], verdict: { fails: true } })
  })
})
