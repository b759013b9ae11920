import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/errors.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults, parseResults } from '../../src/evaluation/resultsFile.js'
import { effectsOf, realChildren, requestOf } from './support.js'

const results = evaluate(requestOf(20), effectsOf(realChildren().startChild))

function refusal(text: string): string {
  try {
    parseResults(text, 'base.json')
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

async function refusalAfter(change: (results: Results) => void): Promise<string> {
  const changed = structuredClone(await results)
  change(changed)
  const message = refusal(JSON.stringify(changed))
  expect(message).toMatch(/^base\.json: /)
  expect(message).not.toContain('\n')
  return message
}

test('a difference between two files shows the images that differ: one image a line', async () => {
  const text = formatResults(await results)
  const lines = text.split('\n').filter((line) => line.startsWith('    {"index":'))
  expect(lines).toHaveLength(20)
  expect(text.endsWith('}\n')).toBe(true)
})

describe('a broken results file is refused with the place of the first problem', () => {
  test('not JSON', () => {
    expect(refusal('{"schema": ')).toMatch(/^base\.json: is not JSON \(.*\); give a results\.json/)
  })

  test('another file', async () => {
    expect(refusal('{"name": "robustness-gate"}')).toMatch(/schema: /)
    expect(refusal('[]')).toMatch(/the whole: /)
    expect(await refusalAfter((it) => Object.assign(it, { schema: 'robustness-gate/results/9' }))).toMatch(/schema: /)
  })

  const changes: readonly (readonly [string, (results: Results) => void, RegExp])[] = [
    ['a number that is text', (it) => Object.assign(it.samples[3], { label: '1' }), /samples\[3\]\.label/],
    ['no images', (it) => it.samples.splice(0), /samples: /],
    ['an image twice', (it) => it.samples.splice(4, 0, it.samples[3]), /samples: 21 of 20/],
    ['an image in another’s place', (it) => (it.samples[4] = it.samples[3]), /samples\[4\]\.index/],
    ['an image the data do not have', (it) => (it.samples[19].index = 20), /samples\[19\]\.index: 20 of 20/],
    ['a class the model does not have', (it) => (it.samples[19].predicted = 3), /samples\[19\]: prediction 3/],
    [
      'robustness that the attacks deny',
      (it) => (it.samples[0].threats['linf-0.1'].robust = true),
      /samples\[0\]: under linf-0\.1, robust/,
    ],
    [
      'a summary better than its images',
      (it) => (it.summary.threats['linf-0.1'].robustAccuracy += 0.05),
      /summary\.threats\.linf-0\.1\.robustAccuracy is not what the samples say/,
    ],
    ['a count that is off', (it) => it.summary.classes[1].correct++, /summary\.classes\.1\.correct/],
    ['a class without its name', (it) => delete it.summary.classes[1].name, /summary\.classes\.1\.name/],
    ['one id for two threats', (it) => it.threats.push(it.threats[0]), /linf-0\.1 stands for two/],
  ]
  test.each(changes)('%s', async (_, change, message) => {
    expect(await refusalAfter((it) => void change(it))).toMatch(message)
  })

  test('a curve better than its images; a file from before there were curves is none', async () => {
    const threats = [0.1, 0.2].map((epsilon) => ({ id: `linf-${epsilon}`, norm: 'linf' as const, epsilon }))
    const curved = await evaluate(requestOf(20, {}, { threats }), effectsOf(realChildren().startChild))
    const points = curved.summary.curves?.linf?.points ?? []
    expect(points.length).toBeGreaterThan(1)
    expect(parseResults(JSON.stringify(curved), 'base.json')).toEqual(curved)
    const { curves, ...summary } = curved.summary
    expect(curves).toBeDefined()
    expect(parseResults(JSON.stringify({ ...curved, summary }), 'base.json')).toEqual({ ...curved, summary })
    points[1].accuracy += 0.05
    expect(refusal(JSON.stringify(curved))).toMatch(
      /summary\.curves\.linf\.points\.1\.accuracy is not what the samples say/,
    )
  })

  test('foreign text cannot break out of its line', async () => {
    const message = await refusalAfter((it) => {
      it.samples[0].threats['a\n::error::b'] = it.samples[0].threats['linf-0.1']
    })
    expect(message).toMatch(/nobody asked for threat a ::error::b/)
  })
})
