import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'

function threats(flags: Record<string, string>) {
  return parseConfig({ flags }).threats
}

describe('a radius is what the user wrote, and its name is stable', () => {
  test.each([
    ['8/255', 8 / 255, 'linf-8_255'],
    ['0.1', 0.1, 'linf-0.1'],
    [' 0.10 ', 0.1, 'linf-0.1'],
    ['.1', 0.1, 'linf-0.1'],
    ['8 / 255', 8 / 255, 'linf-8_255'],
    ['1e-3', 0.001, 'linf-0.001'],
  ])('%s', (epsilon, value, id) => {
    expect(threats({ epsilon })).toEqual([{ id, norm: 'linf', epsilon: value }])
  })

  test('a number in the file has the name of the same text', () => {
    expect(parseConfig({ file: { name: 'c', text: 'epsilon: 0.1' } }).threats[0].id).toBe('linf-0.1')
    expect(parseConfig({ file: { name: 'c', text: 'epsilon: [0.1, 8/255]' } }).threats.map(({ id }) => id)).toEqual([
      'linf-0.1',
      'linf-8_255',
    ])
  })

  test('a list makes one threat each, in the norm asked for', () => {
    expect(threats({ epsilon: '0.5,1.5', norm: 'l2' })).toEqual([
      { id: 'l2-0.5', norm: 'l2', epsilon: 0.5 },
      { id: 'l2-1.5', norm: 'l2', epsilon: 1.5 },
    ])
  })
})

describe('a radius that means nothing is refused', () => {
  test.each(['0', '-0.1', '-8/255', '0/255', '0.0,0.1'])('%s is not above 0', (epsilon) => {
    expect(() => threats({ epsilon })).toThrow(/^--epsilon: ".*" is not above 0; write the radius .*8\/255$/)
  })

  test.each(['eight', '8/0', '8/255/2', '0x10', 'Infinity', 'NaN', '1,,2', '8/', '٨'])('%s is no number', (epsilon) => {
    expect(() => threats({ epsilon })).toThrow(/^--epsilon: ".*" is not a number; write one like 0\.1 or 8\/255$/)
  })

  test('as is one twice, which would be reported twice', () => {
    expect(() => threats({ epsilon: '0.1,0.10' })).toThrow('the threat linf-0.1 is given twice; keep one')
  })

  test('and one wider than a pixel can move: 8 was meant for 0…255', () => {
    expect(() => threats({ epsilon: '8' })).toThrow(/epsilon 8 is wider than the pixels' range 0…1; .*8\/255/)
    expect(threats({ epsilon: '8', range: '0,255' })[0].epsilon).toBe(8)
    expect(threats({ epsilon: '8', norm: 'l2' })[0].epsilon).toBe(8)
  })
})

test('there are three norms, and another is refused', () => {
  expect(threats({ norm: 'L1', epsilon: '12' })).toEqual([{ id: 'l1-12', norm: 'l1', epsilon: 12 }])
  expect(() => threats({ norm: 'l3' })).toThrow('--norm: "l3" is none of linf, l2, l1; did you mean "l2"?')
})
