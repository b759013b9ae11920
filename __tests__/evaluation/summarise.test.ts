import { expect, test } from '@jest/globals'
import type { SampleOutcome } from '../../src/engine/messages.js'
import { summarise } from '../../src/evaluation/summarise.js'

const held = { success: false, predicted: 1, distance: 0.1 }
const lost = { success: true, predicted: 2, distance: 0.1 }

/** Of four images one holds out, one falls to the last attack at the small ε already, one to the first at the large ε, one is wrong. */
test('an image that broke at a smaller ε counts against the attacks for survivors that it was not given to', () => {
  const all = { first: held, second: held, third: held }
  const image = (index: number, small: SampleOutcome['threats'][string], large: SampleOutcome['threats'][string]) => ({
    index,
    label: 1,
    predicted: 1,
    threats: { small, large },
  })
  const samples: readonly SampleOutcome[] = [
    image(0, { robust: true, attacks: all }, { robust: true, attacks: all }),
    image(
      1,
      { robust: false, attacks: { ...all, third: lost } },
      { robust: false, attacks: { first: held, third: lost } },
    ),
    image(2, { robust: true, attacks: all }, { robust: false, attacks: { first: lost } }),
    { ...image(3, { robust: false, attacks: {} }, { robust: false, attacks: {} }), predicted: 2 },
  ]
  const attacks = [
    { id: 'first', survivorsOnly: false },
    { id: 'second', survivorsOnly: true },
    { id: 'third', survivorsOnly: true },
  ]
  const threats = [
    { id: 'small', norm: 'linf', epsilon: 0.1 },
    { id: 'large', norm: 'linf', epsilon: 0.2 },
  ] as const
  const { threats: found } = summarise(samples, { threats, attacks })
  expect(found.small).toEqual({
    robustAccuracy: 0.5,
    attacks: { first: { accuracy: 0.75 }, second: { accuracy: 0.75 }, third: { accuracy: 0.5 } },
  })
  // Neither row of survivors promises more than is left at all.
  expect(found.large).toEqual({
    robustAccuracy: 0.25,
    attacks: { first: { accuracy: 0.5 }, second: { accuracy: 0.25 }, third: { accuracy: 0.25 } },
  })
})
