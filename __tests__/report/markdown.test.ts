import { describe, expect, test } from '@jest/globals'
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'
import { answered } from '../../src/comparison/acceptance.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import type { Comparison } from '../../src/comparison/types.js'
import { evaluationReport } from '../../src/report/evaluation.js'
import { markdownReport } from '../../src/report/markdown.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'
import { BASELINE, CANDIDATE, DEMO } from './demo.js'

const comment = (comparison: Comparison) => markdownReport(comparison, { tier: 'comment' })
const bytes = (text: string) => Buffer.byteLength(text)
const render = (markdown: string) =>
  micromark(markdown, { extensions: [gfm()], htmlExtensions: [gfmHtml()], allowDangerousHtml: true })

describe('the comment', () => {
  test('tells a reviewer in ten seconds: verdict, table, classes, images, what next', () => {
    // Counts are those of demo.ts. Intervals: Tango's, with nothing gained that of one proportion (Wilson 1927): for 346 of 500,
    // (346 + 1.9207 ± 1.96 √(346 · 154 / 500 + 0.9604)) / 503.8415 = 0.6502 and 0.7309.
    const [above, below] = comment(DEMO).split('<details>')
    expect(below).toContain('Tango 1998')
    expect(above).toMatchInlineSnapshot(`
     "❌ **Regression**: robust accuracy under Linf ε = 0.1 falls from 72.8 % to 3.6 % (−69.2 points, allowed 1.0)

     |  | Baseline | Candidate | Change (points) | 95 % interval |  |
     | :-- | --: | --: | --: | --: | --: |
     | Clean | 83.6 % | 89.0 % | +5.4 | +3.7 … +7.7 | ✓ |
     | \`fgsm\` | 74.8 % | 23.6 % | −51.2 | −55.6 … −46.8 |  |
     | \`pgd\` | 73.2 % | 4.4 % | −68.8 | −72.7 … −64.6 |  |
     | \`pgd-margin\` (on what those before it left) | 72.8 % | 3.6 % | −69.2 | −73.1 … −65.0 |  |
     | **Worst case, Linf ε = 0.1** | **72.8 %** | **3.6 %** | **−69.2** | **−73.1 … −65.0** | **✗** |

     **Classes that became easier to fool** under Linf ε = 0.1, the worst 5 of 10:

     | Class | Images | Robust before | Robust now | Change (points) |
     | :-- | --: | --: | --: | --: |
     | \`T-shirt\` | 50 | 37 | 2 | −70.0 |
     | \`Trouser\` | 50 | 37 | 2 | −70.0 |
     | \`Pullover\` | 50 | 37 | 2 | −70.0 |
     | \`Dress\` | 50 | 37 | 2 | −70.0 |
     | \`Bag\` | 50 | 36 | 1 | −70.0 |

     **346 images newly broken** of 500 under Linf ε = 0.1 (0 newly robust): 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37 and 326 more.

     **What to do next**

     - Train for robustness: a few epochs of adversarial training (PGD) at the ε above usually win back what training on clean images lost.
     - See what fools it: \`robustness-gate evaluate --save-adversarial\` writes the adversarial examples.
     - If this is intended, change the limits on the base branch first: that is where they are read.

     "
    `)
  })

  test('details tell how the numbers were made: suite, threats, seed, images, hashes, engine, machine', () => {
    const text = markdownReport(DEMO, { tier: 'comment', results: { candidate: CANDIDATE, baseline: BASELINE } })
    const details = text.slice(text.indexOf('<details>'))
    for (const known of [
      '`standard@1`: `fgsm`, `pgd`, `pgd-margin`',
      'Linf ε = 0.1',
      'Seed 0',
      '500 images',
      'a'.repeat(64),
      'b'.repeat(64),
      'd'.repeat(64),
      'onnxruntime 1.30.0',
      'Example CPU',
      '20,000 gradients',
      'dlr-fallback',
    ])
      expect(details).toContain(known)
  })

  test('commits where a model came from can be copied; what else is said of it stays text', () => {
    const [commit, head] = ['c'.repeat(40), 'e'.repeat(40)]
    const candidate = { name: 'a.onnx', sha256: 'a'.repeat(64), commit, how: `merge of ${head}, for @mona` }
    const text = markdownReport({ ...DEMO, origins: { candidate } }, { tier: 'comment' })
    expect(text).toContain(`merge of \`${head}\` , for @\u2060mona; commit \`${commit}\``)
  })

  test('two threats: each attack says which, the worst of them leads', () => {
    const comparison = compare(
      handmadeResults([fates('R', 190, 'f', 10), fates('R', 100, 'p', 100)]),
      handmadeBaseline([fates('R', 200), fates('R', 200)]),
      POLICY,
    )
    const text = comment(comparison)
    expect(text.split('\n')[0]).toBe(
      '❌ **Regression**: robust accuracy under Linf ε = 8/255 falls from 100.0 % to 50.0 % (−50.0 points, allowed 1.0)',
    )
    expect(text).toContain('| `pgd` (Linf ε = 8/255) | 100.0 % | 50.0 % | −50.0 |')
    expect(text).toContain('- Robust accuracy under Linf ε = 0.1 falls from 100.0 % to 95.0 %')
  })

  test('an attack for survivors got none that a smaller ε broke, and says so', () => {
    const smaller = { ...DEMO.threats[0], id: 'linf-0.05', epsilon: 0.05 }
    const text = comment({ ...DEMO, threats: [...DEMO.threats, smaller] })
    expect(text).toContain('| `pgd-margin` (Linf ε = 0.1, on what those before it and smaller ε left) |')
  })

  test('its gate and links are named at its foot, and only web addresses become links', () => {
    const text = markdownReport(DEMO, {
      tier: 'comment',
      title: 'digits @home',
      links: [
        { text: 'Run', url: 'https://github.com/octo/repo/actions/runs/1' },
        { text: 'Trap', url: 'javascript:alert(1)' },
      ],
    })
    expect(text).toContain(
      '<sub>Robustness Gate · digits @\u2060home · [Run](https://github.com/octo/repo/actions/runs/1)</sub>',
    )
    expect(text).not.toContain('javascript')
  })
})

describe('other verdicts', () => {
  test('inconclusive says how many images would tell, twice', () => {
    const text = comment(compare(handmadeResults(fates('R', 492, 'f', 8)), handmadeBaseline(fates('R', 500)), POLICY))
    expect(text).toMatch(/^⚠️ \*\*Inconclusive\*\*: robust accuracy .* falls from 100\.0 % to 98\.4 %/)
    expect(text).toContain('about 2,511 images would tell')
    expect(text).toContain('- Evaluate about 2,511 images')
    expect(text).toMatch(/Worst case, Linf ε = 0\.1.*\*\*\?\*\* \|/)
  })

  test('pass gives the number, and nothing to do', () => {
    const text = comment(compare(handmadeResults(fates('R', 500)), handmadeBaseline(fates('R', 499, 'f', 1)), POLICY))
    expect(text).toMatch(
      /^✅ \*\*Pass\*\*: robust accuracy under Linf ε = 0\.1 goes from 99\.8 % to 100\.0 % \(\+0\.2 points, allowed drop 1\.0\)\n/,
    )
    expect(text).not.toContain('What to do next')
    expect(text).not.toContain('newly broken')
  })

  test('first adoption has a table of its own against the limits', () => {
    const text = comment(
      compare(handmadeResults(fates('R', 60, 'f', 40)), undefined, { ...POLICY, minRobustAccuracy: 0.5 }),
    )
    expect(text).toMatch(/^✅ \*\*Pass\*\*: robust accuracy under Linf ε = 0\.1 is 60\.0 %; there was no baseline/)
    expect(text).toContain('| **Worst case, Linf ε = 0.1** | **60.0 %** | **50.0 %** | **✓** |')
    expect(text).toContain('only absolute limits were checked')
    // What git does not hold is compared with nothing for having been merged.
    expect(text).toContain('is compared with it once the base branch holds it, or results of it that a run there has')
  })

  test('an accepted regression says who accepted it, and pings nobody', () => {
    const acceptance = { who: '@maintainer', when: '2024-05-01T10:00:00Z' }
    const text = comment(
      answered(compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), POLICY), { acceptance }),
    )
    expect(text).toMatch(/^☑️ \*\*Regression \(accepted by @\u2060maintainer\)\*\*/)
  })

  test('an error says what broke, for which model and what to do, and never looks like a regression', () => {
    const text = comment(
      errorComparison('the worker was killed by SIGSEGV while it loaded <b>base</b>.onnx', { candidate: CANDIDATE }),
    )
    expect(text.split('\n').slice(0, 3)).toEqual([
      '🛑 **Error**: the evaluation of the baseline could not be completed, so nothing is known about its robustness',
      '',
      '> the worker was killed by SIGSEGV while it loaded &#60;b&#62;base&#60;/b&#62;.onnx',
    ])
    expect(text).toContain('This is no statement about robustness')
    expect(text).not.toMatch(/regression|❌|✗|newly broken/i)
  })
})

describe('limits', () => {
  const names = Array.from({ length: 300 }, (_, label) => `${'<!-- 🙂|@x -->'.repeat(20)}${label}`)
  const flags = Array.from({ length: 500 }, (_, place) => ({
    code: `flag-${place}`,
    message: '🙂*'.repeat(400),
    samples: [place],
  }))
  const attacks = Array.from({ length: 400 }, (_, place) => ({ id: `attack-${place}-${'é'.repeat(100)}`, name: 'pgd' }))
  const many = (text: string, name: string) => {
    const results = handmadeResults(text)
    return {
      ...results,
      model: { ...results.model, name, sha256: (name.length % 2 ? 'a' : 'b').repeat(64) },
      data: { ...results.data, name: '|'.repeat(10_000), classNames: names },
      suite: { name: 'custom'.repeat(500), version: 1, attacks },
      samples: results.samples.map((sample) => ({
        ...sample,
        label: sample.index % 300,
        predicted: sample.index % 300,
        threats: {
          'linf-0.1': {
            robust: sample.threats['linf-0.1'].robust,
            attacks: { [attacks[0].id]: { success: !sample.threats['linf-0.1'].robust, predicted: 1, distance: 0.1 } },
          },
        },
      })),
      flags,
    }
  }
  const huge = compare(
    many(fates('f', 3_000), 'x'.repeat(100_000)),
    many(fates('R', 3_000), 'y'.repeat(99_999)),
    POLICY,
  )

  test.each([
    ['comment', 65_536],
    ['full', 1_048_576],
  ] as const)('the %s tier stays under %i bytes, with whole tables and its verdict', (tier, limit) => {
    const text = markdownReport(huge, { tier })
    expect(bytes(text)).toBeLessThan(limit)
    expect(text).toMatch(/^❌ \*\*Regression\*\*: robust accuracy under Linf ε = 0\.1 falls from 100\.0 % to 0\.0 %/)
    expect(text).toContain('Worst case, Linf ε = 0.1')
    const html = render(text)
    for (const tag of ['table', 'details', 'ul'])
      expect(html.split(`<${tag}>`)).toHaveLength(html.split(`</${tag}>`).length)
    expect(text).not.toContain('<!--')
  })

  test('the full tier lists what the comment leaves out', () => {
    const text = markdownReport(DEMO, { tier: 'full' })
    expect(text).toContain(', 361, 362, 363.')
    expect(text).toContain('| `Ankle boot` |')
    expect(comment(DEMO)).not.toContain('363')
  })

  test('a hundred threats and hostile messages fit, too', () => {
    const threats = Array.from({ length: 100 }, (_, place) => ({
      ...DEMO.threats[0],
      id: `linf-${place}`,
      epsilon: place + 1,
    }))
    const reasons = threats.map(() => ({ code: 'robust-drop', message: '*'.repeat(10_000), row: 'linf-0.1' }))
    const failure = { message: '🙂`'.repeat(10_000) }
    const comparison = { ...DEMO, threats, failure, verdict: { ...DEMO.verdict, reasons } }
    expect(bytes(comment(comparison))).toBeLessThan(65_536)
  })
})

describe('hostile names', () => {
  test('of models, classes, data, attacks and flags reach no reader as markup', () => {
    const nasty = '|</td></details><!-- robustness-gate -->`<img src=x>` [x](http://evil.example) @octocat #1'
    const changes = {
      data: { ...CANDIDATE.data, name: nasty, classNames: Array.from({ length: 10 }, () => nasty) },
      flags: [{ code: nasty, message: nasty }],
      tool: { version: nasty, engine: nasty, cpu: nasty, batch: 64 },
    }
    const model = { ...CANDIDATE.model, name: nasty }
    const comparison = compare(
      { ...CANDIDATE, ...changes, model },
      { ...BASELINE, ...changes, model: { ...model, sha256: 'b'.repeat(64) } },
      POLICY,
    )
    for (const text of [
      markdownReport(comparison, { tier: 'full', title: nasty }),
      markdownReport(errorComparison(nasty, { candidate: { ...CANDIDATE, ...changes, model } }), { tier: 'comment' }),
      evaluationReport({ ...CANDIDATE, ...changes, model }).markdown,
    ]) {
      expect(text).not.toContain('<!--')
      const html = render(text)
      expect(html).not.toMatch(/<img|<a |<script|<!--/)
      expect(html.replace(/<code>[^<]*<\/code>/g, '')).not.toMatch(/@octocat|#1\b/)
      expect(html.split('<details>')).toHaveLength(html.split('</details>').length)
    }
  })
})

describe('one evaluation alone', () => {
  test('has its accuracies and classes, and no verdict', () => {
    const { markdown } = evaluationReport(CANDIDATE)
    expect(markdown).toMatch(/^\*\*Robustness of `fashion-finetuned\.onnx`\*\* on 500 images\n/)
    expect(markdown).toContain('| **Worst case, Linf ε = 0.1** | **3.6 %** |')
    // Label 0: images 0, 10, …, 490; right up to 440 (445 are right): 45 of 50; robust 0 and 10.
    expect(markdown).toContain('| `T-shirt` | 50 | 90.0 % | 4.0 % |')
    expect(markdown).not.toMatch(/Pass|Regression|baseline/i)
  })
})
