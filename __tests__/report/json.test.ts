import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { jsonText } from '../../src/report/json.js'
import { DEMO } from './demo.js'

test('reads back as what was written, whatever the strings hold', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(jsonText(value))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
  expect(JSON.parse(jsonText({ text: '[\n  1,\n  2\n]', list: [1, -2.5e-7, 3] }))).toEqual({
    text: '[\n  1,\n  2\n]',
    list: [1, -2.5e-7, 3],
  })
})

test('keys keep the order of the contract, and lists of images stay on one line', () => {
  const text = jsonText(DEMO)
  expect(Object.keys(JSON.parse(text))).toEqual([
    'schema',
    'candidate',
    'baseline',
    'data',
    'suite',
    'threats',
    'seed',
    'policy',
    'rows',
    'classes',
    'flags',
    'verdict',
  ])
  expect(text).toContain('"lost": [18, 19, 20, ')
  expect(text.endsWith('}\n')).toBe(true)
})
