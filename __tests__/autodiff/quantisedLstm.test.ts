import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { FOUR_STEPS } from './cases/quantisedLayers.js'
import { differentiate, floating, numbersOf, reals } from './support.js'

interface Reference {
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly gradient: readonly number[]
}

/** scripts/reference/quantisedLstm.py: by PyTorch's autograd, in float64, through the same roundings. */
const reference = JSON.parse(readFileSync('fixtures/quantisedLstm.json', 'utf8')) as Reference

/**
 * Four steps of a dozen operators, sums of at most six numbers: a hundred roundings of float32 (6e−8 each) of numbers below 1,
 * 6e−6 if all went the same way.
 */
const TOLERANCE = 6e-6
/** A slope comes through twelve gates, over weights of at most 90 / 2¹³. */
const OF_SLOPES = (TOLERANCE * 12 * 90) / 2 ** 13

test('an LSTM with a rounded state has PyTorch’s gradient through the roundings', async () => {
  const { tested, points } = FOUR_STEPS
  const { forward, vjp } = await differentiate(tested)
  const x = points([1, ...tested.shape])
  expect(numbersOf(x)).toEqual(reference.x)
  const y = await forward(x)
  numbersOf(y).forEach((value, at) => expect(Math.abs(value - reference.y[at])).toBeLessThan(TOLERANCE))
  const gradient = numbersOf(await vjp(x, floating('float32', y.dims, numbersOf(reals('float32', y.dims, 29)))))
  expect(Math.max(...reference.gradient.map(Math.abs))).toBeGreaterThan(1000 * OF_SLOPES)
  gradient.forEach((slope, at) => expect(Math.abs(slope - reference.gradient[at])).toBeLessThan(OF_SLOPES))
})
