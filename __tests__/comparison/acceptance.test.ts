import { describe, expect, test } from '@jest/globals'
import { answered, isAcceptable } from '../../src/comparison/acceptance.js'
import { compare, errorComparison } from '../../src/comparison/compare.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from './handmade.js'

const acceptance = { who: 'maintainer', when: '2024-05-01T10:00:00Z' }
const weaker = compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), POLICY)

describe('an acceptance', () => {
  test('lets a regression through, which stays one on record', () => {
    const { verdict } = answered(weaker, { acceptance })
    expect(verdict).toMatchObject({ outcome: 'regression', fails: false, acceptance, reasons: weaker.verdict.reasons })
  })

  test('of an error does not count: nothing is known of the model', () => {
    const broken = errorComparison('It crashed.')
    expect(isAcceptable(broken)).toBe(false)
    expect(answered(broken, { acceptance }).verdict.fails).toBe(true)
  })

  test('is not needed by what fails nothing', () => {
    const spared = compare(handmadeResults(fates('f', 100)), handmadeBaseline(fates('R', 100)), {
      ...POLICY,
      failOn: 'never',
    })
    expect([weaker, spared].map(isAcceptable)).toEqual([true, false])
  })
})

test('an appeal changes nothing but what is told', () => {
  const { verdict } = answered(weaker, { appeal: 'Set the label.' })
  expect(verdict).toEqual({ ...weaker.verdict, appeal: 'Set the label.' })
})
