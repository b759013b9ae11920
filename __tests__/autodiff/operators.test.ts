import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { operatorDocument, operatorRows } from '../../src/autodiff/operatorTable.js'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const rows = operatorRows(JSON.parse(read('scripts/reference/operatorVersions.json')))

test('docs/operators.md is what the tables say (else: node scripts/operators.mjs)', () => {
  expect(read('docs/operators.md')).toBe(operatorDocument(rows))
})

test('what the ONNX standard itself tags as differentiable (ONNX 1.12) has a gradient', () => {
  const differentiable = read('fixtures/onnx-differentiable.txt').trim().split('\n')
  expect(differentiable).toHaveLength(110)
  const served = new Set(
    rows.filter(({ gradient }) => gradient !== 'missing' && gradient !== 'none').map(({ operator }) => operator),
  )
  expect(differentiable.filter((operator) => !served.has(operator))).toEqual([])
})

test('an operator that is rounded, bent or cut says what happens there', () => {
  const silent = rows.filter(({ gradient, note }) => /subgradient|straight-through/.test(gradient) && note === '')
  expect(silent).toEqual([])
})
