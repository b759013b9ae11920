import { expect, test } from '@jest/globals'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { compare } from '../../src/comparison/compare.js'
import { summarise } from '../../src/evaluation/summarise.js'
import type { Results } from '../../src/evaluation/results.js'
import { curveSection, terminalCurves } from '../../src/report/curves.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'

/** The same results as if a minimal attack had found image i at `distance(i)`, in the ball or beyond. */
function withNearest(results: Results, distance: (index: number) => number): Results {
  const samples = results.samples.map((sample) => {
    if (sample.label !== sample.predicted) return sample
    const { attacks, robust } = sample.threats['linf-0.1']
    const pgd = { ...attacks.pgd, nearest: distance(sample.index) }
    return { ...sample, threats: { 'linf-0.1': { robust, attacks: { ...attacks, pgd } } } }
  })
  return {
    ...results,
    samples,
    summary: summarise(samples, { threats: results.threats, attacks: results.suite.attacks }),
  }
}

// Ten images, the last one wrong. Broken ones have their witness at 0.1; the nearest points are 0.01, 0.02, … 0.09 in the
// candidate, five times as far in the baseline, where none of the others is broken.
const candidate = withNearest(handmadeResults(fates('f', 9, 'w', 1)), (index) => (index + 1) / 100)
const baseline = withNearest(handmadeBaseline(fates('R', 9, 'w', 1)), (index) => (index + 1) / 20)
const comparison = compare(candidate, baseline, POLICY)

test('both models beside each other, at the ε that was attacked and around it', () => {
  // By hand: of 10 images right and farther than ε; within 0.4 the baseline keeps 0.45 alone. Medians: the fifth of nine.
  const [, ...lines] = curveSection(comparison).split('\n\n')[1].split('\n')
  expect(curveSection(comparison)).toContain(
    '| ε = 0 | ε = 0.05 | ε = 0.1 | ε = 0.2 | ε = 0.4 | Median distance | 0 … 0.4 |',
  )
  expect(lines.slice(1).map((line) => line.split(' | ').slice(0, 7))).toEqual([
    ['| Baseline', '90.0 %', '80.0 %', '70.0 %', '50.0 %', '10.0 %', '0.25'],
    ['| Candidate', '90.0 %', '40.0 %', '0.0 %', '0.0 %', '0.0 %', '0.05'],
  ])
  // From 90 % (six of seven steps up) down to 10 % and to nothing, never rising.
  const [before, now] = lines.slice(1).map((line) => /`(.*)`/.exec(line)?.[1] ?? '')
  expect([before[0], before.at(-1), now[0], now.at(-1)]).toEqual(['▇', '▂', '▇', '▁'])
  for (const shape of [before, now]) expect([...shape].sort().reverse().join('')).toBe(shape)
})

test('is a table on GitHub, and an aligned one in a terminal', () => {
  const html = micromark(curveSection(comparison), { extensions: [gfm()], htmlExtensions: [gfmHtml()] })
  expect(html.match(/<tr>/g)).toHaveLength(3)
  const [title, ...lines] = terminalCurves(comparison).split('\n')
  expect(title).toBe('Accuracy within ε, Linf')
  expect(lines).toHaveLength(3)
  expect(new Set(lines.map((line) => [...line].length)).size).toBe(1)
})

test('one ε and no minimal attack: there is no curve to show', () => {
  const plain = compare(handmadeResults(fates('f', 9)), handmadeBaseline(fates('R', 9)), POLICY)
  expect(curveSection(plain)).toBe('')
  expect(terminalCurves(plain)).toBe('')
})

test('sixteen ε still make a table that a comment holds', () => {
  const threats = Array.from({ length: 16 }, (_, place) => {
    const epsilon = (place + 1) / 100
    return { id: `linf-${epsilon}`, norm: 'linf' as const, epsilon, bounds: [0, 1] as [number, number] }
  })
  const samples = candidate.samples.map((sample) => ({
    ...sample,
    threats: Object.fromEntries(
      threats.map(({ id }) => [id, { robust: sample.label === sample.predicted, attacks: {} }]),
    ),
  }))
  const summary = summarise(samples, { threats, attacks: candidate.suite.attacks })
  const [, header] = curveSection(compare({ ...candidate, threats, samples, summary }, undefined, POLICY)).split('\n\n')
  expect(header.split('\n')[0]).toBe(
    '|  | ε = 0 | ε = 0.01 | ε = 0.04 | ε = 0.07 | ε = 0.1 | ε = 0.13 | ε = 0.16 | Median distance | 0 … 0.16 |',
  )
})
