import { describe, expect, test } from '@jest/globals'
import { answered } from '../../src/comparison/acceptance.js'
import { compare } from '../../src/comparison/compare.js'
import { acceptanceSentence } from '../../src/report/acceptance.js'
import { markdownReport } from '../../src/report/markdown.js'
import { terminalReport } from '../../src/report/terminal.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'

const weaker = compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), POLICY)
const acceptance = {
  ...{ who: 'mona', when: '2026-03-01T10:02:59Z', label: 'ok', pullRequest: 7 },
  reported: '2026-02-28T23:59:00Z',
}

describe('who answers for a weaker model', () => {
  test('is told with when, how, where, and since when they could know of it', () => {
    expect(acceptanceSentence(acceptance)).toBe(
      'Accepted by mona, on 2026-03-01 at 10:02 UTC with the label “ok” on pull request 7, after this model had been reported there on 2026-02-28 at 23:59 UTC.',
    )
  })

  test('is said to be the author, where they are', () => {
    expect(acceptanceSentence({ ...acceptance, byAuthor: true })).toContain(
      'mona, who also opened the pull request, on',
    )
  })

  test('is told as far as it is known', () => {
    expect(acceptanceSentence({ who: 'ada', when: '' })).toBe('Accepted by ada.')
  })
})

test('an accepted model’s report tells it, and asks for nothing more', () => {
  const comparison = answered(weaker, { acceptance })
  const markdown = markdownReport(comparison, { tier: 'comment' })
  expect(markdown).toMatch(/^☑️ \*\*Regression \(accepted by mona\)\*\*/)
  for (const text of [markdown, terminalReport(comparison, { color: false, width: 1000 })])
    expect(text.replaceAll('\u2060', '')).toContain('Accepted by mona, on 2026-03-01 at 10:02 UTC')
  expect(markdown).not.toContain('Train for robustness')
})

test('how to accept a model is among what to do next, and nobody’s label or name is taken for markdown or orders', () => {
  const comparison = answered(weaker, { appeal: 'The label “<b>|@x\u001b[1A” was set by [me](https://a.b).' })
  const markdown = markdownReport(comparison, { tier: 'comment' })
  expect(markdown).toContain('- The label “&#60;b&#62;&#124;@\u2060x')
  expect(markdown).not.toContain('[me](')
  const terminal = terminalReport(comparison, { color: false, width: 1000 })
  expect(terminal).toContain('→ The label “<b>|@x')
  expect(terminal).not.toContain('\u001b')
})
