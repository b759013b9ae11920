import { describe, expect, test } from '@jest/globals'
import { checkpoints } from '../../src/attacks/checkpoints.js'
import { stepSizeRule } from '../../src/attacks/stepSizeRule.js'

test('checkpoints are the published ones', () => {
  expect(checkpoints(100)).toEqual([22, 41, 57, 70, 80, 87, 93, 99])
  // ⌈p N⌉ with p = 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99 by hand; the last two fall together.
  expect(checkpoints(10)).toEqual([3, 5, 6, 7, 8, 9, 10])
  expect(checkpoints(1000)).toEqual([220, 410, 570, 700, 800, 870, 930, 990])
  expect(checkpoints(1)).toEqual([1])
})

describe('the step size is halved when the attack no longer gets anywhere', () => {
  /** A rule that was told of so many steps, the first `rises` of each window raising the loss, and whether each check halved. */
  const checks = (windows: readonly { readonly steps: number; readonly rises: number; readonly best: number }[]) => {
    const rule = stepSizeRule(8, { steps: 100, rho: 0.75, loss: 0 })
    let loss = 0
    const halved = windows.map(({ steps, rises, best }) => {
      const told = Array.from({ length: steps }, (_, step) => rule.after(step < rises ? ++loss : loss, best))
      // Between checkpoints nothing is decided.
      expect(told.slice(0, -1)).not.toContain(true)
      return told.at(-1)
    })
    return { halved, size: rule.size }
  }

  test('condition 1: at most ρ of the steps since the last checkpoint raised the loss', () => {
    // ρ · 22 = 16.5; ρ · 19 = 14.25; ρ · 16 = 12, where the paper's "<" would not halve.
    expect(checks([{ steps: 22, rises: 16, best: 1 }])).toEqual({ halved: [true], size: 4 })
    expect(checks([{ steps: 22, rises: 17, best: 1 }])).toEqual({ halved: [false], size: 8 })
    const three = [
      { steps: 22, rises: 16, best: 1 },
      { steps: 19, rises: 14, best: 2 },
      { steps: 16, rises: 12, best: 3 },
    ]
    expect(checks(three)).toEqual({ halved: [true, true, true], size: 1 })
  })

  test('condition 2: the best loss has not risen since a checkpoint that kept the step size', () => {
    const stuck = { steps: 19, rises: 19, best: 5 }
    expect(checks([{ steps: 22, rises: 22, best: 5 }, stuck]).halved).toEqual([false, true])
    // Not at once after a halving, and not while the best loss rises.
    expect(checks([{ steps: 22, rises: 10, best: 5 }, stuck]).halved).toEqual([true, false])
    expect(checks([{ steps: 22, rises: 22, best: 4 }, stuck]).halved).toEqual([false, false])
  })
})
