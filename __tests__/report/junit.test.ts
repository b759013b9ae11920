import { describe, expect, test } from '@jest/globals'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { answered } from '../../src/comparison/acceptance.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { junitXml } from '../../src/report/junit.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'
import { BASELINE, CANDIDATE, DEMO } from './demo.js'

interface Element {
  readonly message?: string
  readonly type?: string
}

interface Suite {
  readonly tests: string
  readonly failures: string
  readonly errors: string
  readonly skipped: string
  readonly testcase: readonly ({ readonly name: string; readonly classname: string; readonly time: string } & Readonly<
    Partial<Record<'failure' | 'error' | 'skipped', Element>>
  >)[]
}

/** As a collector reads it, by a parser of its own, held against the rules of the common schema (JUnit.xsd of Ant and Jenkins). */
function read(xml: string): Suite {
  expect(XMLValidator.validate(xml)).toBe(true)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseAttributeValue: false,
    isArray: (name) => name === 'testcase',
  })
  const { testsuites } = parser.parse(xml) as { testsuites: Suite & { testsuite: Suite } }
  const { testsuite } = testsuites
  for (const one of testsuite.testcase) {
    expect(one).toMatchObject({ name: expect.stringMatching(/./), classname: expect.stringMatching(/./), time: '0' })
    expect(Object.keys(one).filter((key) => /^(failure|error|skipped)$/.test(key)).length).toBeLessThanOrEqual(1)
  }
  const having = (key: 'failure' | 'error' | 'skipped') =>
    String(testsuite.testcase.filter((one) => one[key] !== undefined).length)
  const counts = {
    tests: String(testsuite.testcase.length),
    ...{ failures: having('failure'), errors: having('error'), skipped: having('skipped') },
  }
  expect(testsuites).toMatchObject(counts)
  expect(testsuite).toMatchObject(counts)
  return testsuite
}

test('a regression is a failure of the row that fell, with what the report says; the row that held passes', () => {
  const { testcase } = read(junitXml(DEMO))
  expect(testcase.map(({ name }) => name)).toEqual(
    ['Clean', 'Worst case, Linf ε = 0.1'].map((name) => expect.stringContaining(name)),
  )
  expect(testcase[0].failure).toBeUndefined()
  expect(testcase[1].failure).toMatchObject({
    type: 'robust-drop',
    message: expect.stringContaining('falls from 72.8 % to 3.6 %'),
  })
})

describe('what does not fail the job is skipped, not failed', () => {
  test('an accepted regression, and the test says who accepted it', () => {
    const accepted = answered(DEMO, { acceptance: { who: 'ada', when: '2026-01-02' } })
    const { testcase, failures } = read(junitXml(accepted))
    expect(failures).toBe('0')
    expect(testcase[1].skipped?.message).toContain('Accepted by ada')
  })

  test('an undecided drop is skipped or fails, as fail-on has it', () => {
    // 3 of 20 images lost: over what is allowed, and no proof.
    const before = handmadeBaseline(fates('R', 20))
    const after = handmadeResults(fates('R', 17, 'f', 3))
    const skipped = read(junitXml(compare(after, before, POLICY)))
    expect(skipped).toMatchObject({ failures: '0', skipped: '1' })
    const failing = read(junitXml(compare(after, before, { ...POLICY, failOn: 'inconclusive' })))
    expect(failing).toMatchObject({ failures: '1', skipped: '0' })
  })
})

test('an unchanged model passes every case; a first adoption still has its cases, and its limits fail', () => {
  expect(read(junitXml(compare(BASELINE, BASELINE, POLICY)))).toMatchObject({
    failures: '0',
    errors: '0',
    skipped: '0',
  })
  const alone = compare(CANDIDATE, undefined, { ...POLICY, minRobustAccuracy: 0.4 })
  expect(read(junitXml(alone)).testcase[1].failure).toMatchObject({ type: 'min-robust-accuracy' })
})

test('an evaluation that broke is an error, never a failed test and never an empty suite', () => {
  const { testcase } = read(junitXml(errorComparison('The child was killed.', { policy: POLICY })))
  expect(testcase).toMatchObject([{ name: 'Evaluation', error: { message: 'The child was killed.' } }])
})

test('names and messages of a stranger stay text: no element, no attribute, nothing XML cannot hold', () => {
  const hostile = '"/><failure a="\u0000\u001b\ud800]]>&amp;<!--'
  const named = { ...CANDIDATE, model: { ...CANDIDATE.model, name: hostile } }
  const xml = junitXml(compare(named, BASELINE, POLICY))
  expect(read(xml).testcase.map(({ classname }) => classname)).toEqual(
    new Array(2).fill(expect.stringMatching(/^"\/><failure a=" ?\]\]>&amp;<!--$/)),
  )
  expect(xml.replaceAll('\n', '')).not.toMatch(/\p{C}/u)
  expect(read(junitXml(errorComparison(hostile))).testcase).toHaveLength(1)
})
