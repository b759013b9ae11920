import { describe, expect, test } from '@jest/globals'
import { answered } from '../../src/comparison/acceptance.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { evaluationReport } from '../../src/report/evaluation.js'
import { terminalReport } from '../../src/report/terminal.js'
import { handmadeBaseline, handmadeResults, fates, POLICY } from '../comparison/handmade.js'
import { CANDIDATE, DEMO } from './demo.js'

const plainly = { color: false, width: 80 }

describe('terminal', () => {
  test('shows an aligned table, the verdict and what to do next', () => {
    expect(terminalReport(DEMO, plainly)).toMatchInlineSnapshot(`
     "                                             Baseline  Candidate  Change (points)  95 % interval
     Clean                                          83.6 %     89.0 %             +5.4    +3.7 … +7.7  ✓
       fgsm                                         74.8 %     23.6 %            −51.2  −55.6 … −46.8
       pgd                                          73.2 %      4.4 %            −68.8  −72.7 … −64.6
       pgd-margin (on what those before it left)    72.8 %      3.6 %            −69.2  −73.1 … −65.0
     Worst case, Linf ε = 0.1                       72.8 %      3.6 %            −69.2  −73.1 … −65.0  ✗

     ❌ Regression: robust accuracy under Linf ε = 0.1 falls from 72.8 % to 3.6 %
     (−69.2 points, allowed 1.0)

     Newly broken under Linf ε = 0.1: 346 images: 18, 19, 20, 21, 22, 23, 24, 25, 26,
       27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37 and 326 more

     → Train for robustness: a few epochs of adversarial training (PGD) at the ε
       above usually win back what training on clean images lost.
     → See what fools it: robustness-gate evaluate --save-adversarial writes the
       adversarial examples.
     → If this is intended, change the limits on the base branch first: that is where
       they are read."
    `)
  })

  test('colours only when asked to, and the words are the same', () => {
    const colored = terminalReport(DEMO, { color: true, width: 80 })
    expect(colored).toContain('\u001b[31mRegression\u001b[0m')
    // eslint wants no control character in a pattern, so the sequences are cut out by hand.
    const uncolored = colored
      .split('\u001b[')
      .map((part, place) => (place === 0 ? part : part.slice(part.indexOf('m') + 1)))
    expect(uncolored.join('')).toBe(terminalReport(DEMO, plainly))
  })

  test('a name cannot move the cursor or fake a line', () => {
    const name = 'x\u001b[1A\u001b[2K\nPass'
    const weaker = compare(handmadeResults(fates('f', 50), { flags: [] }), handmadeBaseline(fates('R', 50)), POLICY)
    const comparison = answered(weaker, { acceptance: { who: name, when: '' } })
    const error = errorComparison(name, { candidate: CANDIDATE })
    const one = evaluationReport({
      ...CANDIDATE,
      model: { ...CANDIDATE.model, name },
      flags: [{ code: name, message: name }],
    })
    for (const text of [terminalReport(comparison, plainly), terminalReport(error, plainly), one.terminal]) {
      expect(text).not.toContain('\u001b')
      expect(text).not.toMatch(/^Pass/m)
    }
  })

  test('an error is told as one', () => {
    const text = terminalReport(errorComparison('out of time after 600 s', { failed: 'candidate' }), plainly)
    expect(text).toMatch(/^🛑 Error: the evaluation of the candidate could not be completed/)
    expect(text).toContain('out of time after 600 s')
    expect(text).not.toMatch(/regression|✗/i)
  })

  test('no line but a table’s is wider than the terminal', () => {
    const text = terminalReport(errorComparison('a '.repeat(200), {}), { color: false, width: 40 })
    for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(40)
  })
})
