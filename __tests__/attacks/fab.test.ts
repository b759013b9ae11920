import { describe, expect, test } from '@jest/globals'
import type { FabTargetedSpec } from '../../src/config/attackTypes.js'
import { published } from '../../src/config/attackSchemas.js'
import { classifier, linearClasses } from './support/linearClasses.js'
import { attackScene, expectLeastDistance, findsLeastDistance } from './support/leastDistance.js'

// Where each class has its turn the bounds decide which is nearest; FAB chooses as if there were none.
describe('FAB-T', () =>
  findsLeastDistance(published('fab-t'), { norms: ['linf', 'l2', 'l1'], linear: { bounded: 4 }, runs: 50, kink: 0.25 }))
describe('FAB', () =>
  findsLeastDistance(published('fab'), {
    norms: ['linf', 'l2', 'l1'],
    linear: { bounded: 2, free: 4 },
    runs: 50,
    kink: 0.25,
  }))

// Beside class 1, which it is: class 0 is 0.2 away in Linf (along x₀ alone), class 2 is 0.05 (along both).
const three = {
  model: linearClasses(
    [
      [2, 0],
      [0, 0],
      [1, 1],
    ],
    [-1.4, 0, -1.1],
  ),
  image: Float32Array.of(0.5, 0.5),
  label: 1,
  classes: 3,
}
const spec = published('fab-t', { steps: 4 })

test('FAB-T asks about the hyperplanes of the likeliest classes, one gradient a step for each', () => {
  const directions = (targets: number): string[] => {
    const { asked } = attackScene({ ...spec, targets } as FabTargetedSpec, three, { norm: 'linf', epsilon: 0.01 })
    return asked.flatMap(({ kind, ...question }) =>
      kind === 'gradient' && 'loss' in question && question.loss.name === 'linear'
        ? [String(question.loss.direction)]
        : [],
    )
  }
  // Logits at the image are −0.4, 0 and −0.1; first come the logits alone.
  expect(directions(1)).toEqual(['0,0,0', ...Array<string>(4).fill('0,-1,1')])
  expect(directions(9)).toEqual(['0,0,0', ...Array<string[]>(4).fill(['0,-1,1', '1,-1,0']).flat()])
})

test('a restart begins at half of ε, or at half of the least distance known, whichever is less', () => {
  for (const [norm, epsilon, radius] of [
    ['linf', 0.02, 0.01],
    ['linf', 0.4, 0.025],
    ['l2', 0.02, 0.01],
    ['l1', 0.02, 0.01],
  ] as const) {
    const fab = published('fab', { steps: 10, restarts: 2 })
    const { asked, ball } = attackScene(fab, three, { norm, epsilon })
    const starts = asked.filter(({ kind }) => kind === 'gradient')
    // Two classes are asked about in each of 10 steps. FAB's distance is within 1 % of the least.
    expect(ball.distance(starts[0].point)).toBe(0)
    expect(ball.distance(starts[20].point)).toBeGreaterThan(radius * 0.999)
    expect(ball.distance(starts[20].point)).toBeLessThan(radius * 1.01)
  }
})

test('in Linf one pixel goes too far where the bounds stop the others: it alone is taken back', () => {
  // Towards class 1 the logits' difference gains 0.125 + t (2 + 3 + 1 + 4) with all pixels but x₀ and x₃ at t: 5.11212.
  // FAB's 5 % beyond it are cut off at 0.5 for all but x₂, which the bounds would let go to 1.
  const model = linearClasses(
    [
      [-1, 2, -2, -2, 1, -3],
      [-2, 0, 1, -2, 0, 1],
    ],
    [0, -0.375 - 5.11212],
  )
  const image = Float32Array.of(0.125, 0.5, 0, 0, 0.5, 0.5)
  for (const attack of [published('fab'), published('fab-t')])
    expectLeastDistance(attack, { model, image, label: 0, classes: 2 }, 'linf', (5.11212 - 0.125) / 10)
})

test('a class that the model excludes with a logit of −∞ does not stop the others from being attacked', () => {
  const excluding = classifier(
    ([first, second]) => [-Infinity, 0, first + second - 1.1],
    () => [
      [0, 0],
      [0, 0],
      [1, 1],
    ],
  )
  for (const attack of [published('fab'), published('fab-t'), published('deepfool')]) {
    const { result } = attackScene(attack, { ...three, model: excluding }, { norm: 'linf', epsilon: 0.06 })
    expect(result).toMatchObject({ success: true, predicted: 2 })
  }
})
