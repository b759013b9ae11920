import { readFile } from 'node:fs/promises'
import { describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { publishedSchemas } from '../../src/comparison/jsonSchema.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from './handmade.js'

const root = new URL('../../', import.meta.url)
const published = async (name: string) => JSON.parse(await readFile(new URL(`schema/${name}`, root), 'utf8'))

describe('published JSON Schemas', () => {
  test.each(Object.entries(publishedSchemas()))(
    'schema/%s is what the code parses with (else: node scripts/schema.mjs)',
    async (name, schema) => {
      expect(await published(name)).toEqual(JSON.parse(JSON.stringify(schema)))
    },
  )

  test('accept our files and fields added later, refuse a broken one', async () => {
    const ajv = new Ajv2020()
    const isResults = ajv.compile(await published('results-1.json'))
    const isComparison = ajv.compile(await published('comparison-1.json'))
    const results = JSON.parse(JSON.stringify(handmadeResults(fates('R', 5, 'f', 3, 'w', 2))))
    expect(isResults(results)).toBe(true)
    expect(isResults({ ...results, added: true })).toBe(true)
    expect(isResults({ ...results, seed: 'zero' })).toBe(false)
    expect(isResults({ ...results, schema: 'robustness-gate/results/2' })).toBe(false)
    const comparisons = [
      compare(handmadeResults(fates('f', 30)), handmadeBaseline(fates('R', 30)), POLICY),
      compare(handmadeResults('RR'), undefined, POLICY),
      errorComparison('the worker died'),
    ].map((comparison) => JSON.parse(JSON.stringify(comparison)))
    for (const comparison of comparisons) {
      expect(isComparison(comparison)).toBe(true)
      expect(isComparison({ ...comparison, verdict: { ...comparison.verdict, outcome: 'maybe' } })).toBe(false)
    }
  })
})
