import { describe, expect, test } from '@jest/globals'
import { compare } from '../../src/comparison/compare.js'
import type { Comparison, Transfer } from '../../src/comparison/types.js'
import { transferLine } from '../../src/report/transfer.js'
import { fates, handmadeBaseline, handmadeResults, POLICY } from './handmade.js'

/** A candidate with 60 robust images of 100, of which adversarial examples of the baseline break the first so many. */
function compared(fooled: number, robust = 60): Comparison {
  const held = fates('R', robust, 'f', 100 - robust)
  const transfer: readonly Transfer[] = [
    { from: 'candidate', to: 'baseline', threat: 'linf-0.1', tried: 10, fooled: [] },
    {
      from: 'baseline',
      to: 'candidate',
      threat: 'linf-0.1',
      tried: 40,
      fooled: Array.from({ length: fooled }, (_, index) => index),
    },
  ]
  return compare(handmadeResults(held), handmadeBaseline(held), POLICY, { transfer })
}
const codes = ({ flags }: Comparison) => flags.map(({ model, code }) => `${model} ${code}`)

describe('adversarial examples of one model tried on the other', () => {
  test('none that breaks a robust image: nothing is flagged, and the report says what was tried', () => {
    expect(codes(compared(0))).toEqual([])
    expect(compared(0).verdict.outcome).toBe('pass')
    expect(transferLine(compared(0))).toBe(
      'Transfer: of 10 adversarial examples of the candidate, 0 break images that count as robust in the baseline; ' +
        'of 40 adversarial examples of the baseline, 0 break images that count as robust in the candidate',
    )
  })

  test('a broken image is told with what to do: the suite missed it', () => {
    const { flags, verdict } = compared(1)
    expect(flags).toEqual([
      {
        model: 'candidate',
        code: 'transfer',
        samples: [0],
        message:
          'Adversarial examples of the baseline break 1 of 60 images that count as robust under Linf ε = 0.1, which the suite missed: attack with a stronger suite, such as autoattack.',
      },
    ])
    expect(verdict.outcome).toBe('pass')
  })

  // One in twenty of 60 robust images is 3, of 100 it is 5; fewer than 3 never mean more than bad luck.
  test.each([
    [2, 60, false],
    [3, 60, true],
    [2, 20, false],
    [4, 100, false],
    [5, 100, true],
  ])('%s of %s robust images: masked gradients, %s', (fooled, robust, masked) => {
    const comparison = compared(fooled, robust)
    expect(codes(comparison)).toEqual(['candidate transfer', ...(masked ? ['candidate masked-gradients'] : [])])
    expect(comparison.verdict.outcome).toBe(masked ? 'inconclusive' : 'pass')
  })

  // Noise breaks a twentieth of the images by itself, whoever made the example; noise that moves no answer breaks none.
  test.each([
    ['randomness', [7], []],
    ['unstable-logits', [7], []],
    ['randomness', undefined, ['candidate transfer', 'candidate masked-gradients']],
  ] as const)('of a model with the flag %s, shown by the images %j, it proves %j', (code, samples, proved) => {
    const held = fates('R', 60, 'f', 40)
    const transfer: readonly Transfer[] = [
      { from: 'baseline', to: 'candidate', threat: 'linf-0.1', tried: 40, fooled: [0, 1, 2, 3] },
    ]
    const noisy = handmadeResults(held, {
      flags: [{ code, message: 'It draws numbers.', ...(samples && { samples: [...samples] }) }],
    })
    const comparison = compare(noisy, handmadeBaseline(held), POLICY, { transfer })
    expect(codes(comparison)).toEqual([`candidate ${code}`, ...proved])
    expect(transferLine(comparison)).toContain('of 40 adversarial examples of the baseline, 4 break images')
  })

  test('without both models there is nothing to try, and the report says so', () => {
    const held = fates('R', 5)
    const line = transferLine(compare(handmadeResults(held), handmadeBaseline(held), POLICY))
    expect(line).toBe('Transfer: not tried, for that takes both models and not results alone')
    expect(transferLine(compare(handmadeResults(held), undefined, POLICY))).toBe('')
    expect(transferLine(compare(handmadeResults(held), handmadeResults(held), POLICY))).toBe('')
  })
})
