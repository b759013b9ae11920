import { describe, expect, test } from '@jest/globals'
import { Ajv } from 'ajv'
import type { Log, Result } from 'sarif'
import { answered } from '../../src/comparison/acceptance.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { sarifLog } from '../../src/report/sarif.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from '../comparison/handmade.js'
import { BASELINE, CANDIDATE, DEMO } from './demo.js'

/** SARIF 2.1.0 (OASIS), what it says of the properties written here; every object of it is closed but `properties`. */
const text = { type: 'object', required: ['text'], properties: { text: { type: 'string', minLength: 1 } } }
const level = { enum: ['none', 'note', 'warning', 'error'] }
const closed = (required: readonly string[], properties: object) => ({
  type: 'object',
  additionalProperties: false,
  ...{ required, properties },
})
const rule = closed(['id'], {
  id: { type: 'string' },
  shortDescription: text,
  defaultConfiguration: closed([], { level }),
})
const location = closed([], {
  physicalLocation: closed(['artifactLocation'], {
    artifactLocation: closed([], {
      uri: { type: 'string', pattern: "^(?!/)([A-Za-z0-9._~!'()*/-]|%[0-9A-F]{2})+$" },
      uriBaseId: { type: 'string' },
    }),
    region: closed([], { startLine: { type: 'integer', minimum: 1 } }),
  }),
})
const result = closed(['message'], {
  ruleId: { type: 'string' },
  ruleIndex: { type: 'integer', minimum: 0 },
  ...{ level, message: text },
  locations: { type: 'array', items: location },
  partialFingerprints: { type: 'object', additionalProperties: { type: 'string' } },
})
const driver = closed(['name'], {
  name: { type: 'string' },
  version: { type: 'string' },
  semanticVersion: { type: 'string' },
  rules: { type: 'array', uniqueItems: true, items: rule },
})
const run = closed(['tool'], {
  tool: closed(['driver'], { driver }),
  invocations: { type: 'array', items: closed(['executionSuccessful'], { executionSuccessful: { type: 'boolean' } }) },
  columnKind: { enum: ['utf16CodeUnits', 'unicodeCodePoints'] },
  results: { type: 'array', items: result },
})
const schema = closed(['version', 'runs'], {
  $schema: { type: 'string', format: 'uri' },
  version: { const: '2.1.0' },
  runs: { type: 'array', minItems: 1, items: run },
})

const isValid = new Ajv({ formats: { uri: URL.canParse }, strictTypes: false }).compile(schema)

function read(written: string): readonly Result[] {
  const log = JSON.parse(written) as Log
  expect(isValid(log) || isValid.errors).toBe(true)
  const [{ tool, results = [] }] = log.runs
  for (const { ruleId, ruleIndex = -1 } of results) expect(tool.driver.rules?.[ruleIndex].id).toBe(ruleId)
  return results
}

const uri = ({ locations }: Result) => locations?.[0].physicalLocation?.artifactLocation?.uri

test('a regression is one error on the model’s file, with what the report says', () => {
  const results = read(sarifLog(DEMO, 'models/my classifier#2.onnx'))
  expect(results).toMatchObject([
    { ruleId: 'robust-drop', level: 'error', message: { text: expect.stringContaining('falls from 72.8 % to 3.6 %') } },
  ])
  expect(results.map(uri)).toEqual(['models/my%20classifier%232.onnx'])
})

test('a comparison that passes has no results, so that alerts of earlier runs are closed', () => {
  expect(read(sarifLog(compare(BASELINE, BASELINE, POLICY)))).toEqual([])
})

test('what does not fail the job is a warning: undecided, accepted', () => {
  const undecided = compare(handmadeResults(fates('R', 17, 'f', 3)), handmadeBaseline(fates('R', 20)), POLICY)
  expect(read(sarifLog(undecided))).toMatchObject([{ ruleId: 'robust-drop-unproven', level: 'warning' }])
  const accepted = answered(DEMO, { acceptance: { who: 'ada', when: '2026-01-02' } })
  expect(read(sarifLog(accepted))).toMatchObject([{ ruleId: 'robust-drop', level: 'warning' }])
})

test('an alert stays the same one when only its figures change, and each row has its own', () => {
  const fingerprint = (log: string) => read(log).map(({ partialFingerprints }) => partialFingerprints)
  const other = compare({ ...CANDIDATE, seed: 1 }, { ...BASELINE, seed: 1 }, { ...POLICY, maxRobustDrop: 2 })
  expect(fingerprint(sarifLog(other, 'a.onnx'))).toEqual(fingerprint(sarifLog(DEMO, 'a.onnx')))
  const both = compare(CANDIDATE, BASELINE, { ...POLICY, minRobustAccuracy: 0.4 })
  expect(new Set(fingerprint(sarifLog(both)).map((one) => JSON.stringify(one))).size).toBe(2)
})

test('an evaluation that broke is an error that says so, where the model is', () => {
  const results = read(sarifLog(errorComparison('The child was killed.'), 'models/a.onnx'))
  expect(results).toMatchObject([{ ruleId: 'error', level: 'error', message: { text: 'The child was killed.' } }])
  expect(results.map(uri)).toEqual(['models/a.onnx'])
})

describe('a stranger’s results cannot point elsewhere', () => {
  test.each([
    ['../../.github/workflows/ci.yml', 'ci.yml'],
    ['/etc/passwd', 'passwd'],
    ['C:\\models\\a.onnx', 'a.onnx'],
    ['models\\a.onnx', 'models/a.onnx'],
    ['https://example.com/a.onnx', 'a.onnx'],
    ['javascript:alert(1)', 'javascript%3Aalert(1)'],
    ['\ud800\u0000', 'model'],
  ])('%j becomes %s', (name, expected) => {
    const named = { ...CANDIDATE, model: { ...CANDIDATE.model, name } }
    expect(read(sarifLog(compare(named, BASELINE, POLICY))).map(uri)).toEqual([expected])
  })
})
