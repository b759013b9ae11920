import { expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import { namedSuite } from '../../src/config/suites.js'
import { mostPerImage } from '../../src/evaluation/expectedCost.js'
import { attackScene } from '../attacks/support/leastDistance.js'
import { linearClasses } from '../attacks/support/linearClasses.js'
import { attacks, isDefined, norms } from '../attacks/support/situations.js'

const cases = [
  ...Object.values(attacks),
  published('apgd', { id: 'apgd-margin', loss: 'margin', largerBalls: true }),
].flatMap((spec) => norms.filter((norm) => isDefined(spec, norm)).map((norm) => [spec.id, norm, spec] as const))

/** Whoever plans a job by too small a number sees it run into its time limit. */
test.each(cases)('%s in %s asks no more of an image that withstands it than was said before', (_, norm, spec) => {
  // Three classes, the nearest border 1 / ‖w‖ away: far beyond the ball.
  const rows = [
    [0, 0, 0, 0],
    [1, -1, 0.5, 1],
    [-1, 0.5, 1, -1],
  ]
  const scene = {
    model: linearClasses(rows, [0, -3, -3]),
    image: Float32Array.of(0.5, 0.4, 0.6, 0.5),
    label: 0,
    classes: 3,
  }
  const { result, asked } = attackScene(spec, scene, { norm, epsilon: 0.01 })
  expect(result.success).toBe(false)
  const count = (of: string): number => asked.filter(({ kind }) => kind === of).length
  const threats = [{ id: 'threat', norm, epsilon: 0.01 }]
  const most = mostPerImage({ attacks: [spec], threats, classes: 3, gradient: true }, false)
  expect(count('gradient')).toBeLessThanOrEqual(most.gradients)
  // One more for the clean image.
  expect(count('prediction') + 1).toBeLessThanOrEqual(most.forwards)
})

test('larger balls ask at the start of each: 30 + 30 + 40 steps and three starts', () => {
  const asked = { threats: [{ id: 'l2-1', norm: 'l2' as const, epsilon: 1 }], classes: 10, gradient: true }
  const gradientsOf = (largerBalls: boolean): number =>
    mostPerImage({ ...asked, attacks: [published('apgd', { largerBalls })] }, false).gradients
  expect([gradientsOf(false), gradientsOf(true)]).toEqual([101, 103])
})

/** What had no turn because search broke the image first has it then: each attack once, as on an image that withstands all. */
test('an image that search alone breaks costs what one costs that withstands the suite, not more', () => {
  const asked = { threats: [{ id: 'l2-1', norm: 'l2' as const, epsilon: 1 }], classes: 10, gradient: true }
  const most = (attacks: readonly AttackSpec[]): number => mostPerImage({ ...asked, attacks }, false).gradients
  const pgd = published('pgd', { steps: 5 })
  const square = published('square')
  expect([most([pgd]), most([pgd, square])]).toEqual([5, 5])
  // 101, nine targets of 101 and the likeliest classes, nine of 100 and those again, 103.
  expect(most(namedSuite('autoattack').attacks)).toBe(101 + 910 + 901 + 103)
})
