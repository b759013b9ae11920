import { describe, expect, test } from '@jest/globals'
import type { Flag, SampleOutcome } from '../../src/engine/messages.js'
import { maskingFlags } from '../../src/evaluation/masking.js'

const samples = (right: number, wrong: number): SampleOutcome[] =>
  Array.from({ length: right + wrong }, (_, index) => ({
    index,
    label: 0,
    predicted: index < right ? 0 : 1,
    threats: {},
  }))
const untested = (images: number): Flag => ({
  code: 'no-gradient',
  message: 'none',
  samples: Array.from({ length: images }, (_, index) => index),
})

/** Whoever is not told would take an untested model for a robust one. */
describe('a model whose gradients tell nothing', () => {
  test('is called masked from one image in twenty on, of those it is right on', () => {
    expect(maskingFlags([untested(4)], samples(100, 0))).toEqual([])
    expect(maskingFlags([untested(5)], samples(100, 0))).toMatchObject([
      { code: 'masked-gradients', samples: [0, 1, 2, 3, 4], message: expect.stringContaining('on 5 of 100') },
    ])
    expect(maskingFlags([untested(4)], samples(80, 20))).toHaveLength(1)
  })

  test('is not one that is never right, nor one with other flags', () => {
    expect(maskingFlags([], samples(0, 10))).toEqual([])
    expect(maskingFlags([{ ...untested(50), code: 'straight-through' }], samples(100, 0))).toEqual([])
  })
})
