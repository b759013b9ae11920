import { describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Norm } from '../../src/config/types.js'
import { evaluateImage, type ImageResult } from '../../src/engine/image.js'
import { loadModel } from '../../src/engine/load.js'
import { Scheduler } from '../../src/engine/scheduler.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { floating, reals } from '../autodiff/support.js'
import { dataset, loadRequest } from './support/fixtures.js'

const ATTACKS: readonly AttackSpec[] = [
  published('fgsm'),
  ...(['cross-entropy', 'margin', 'dlr'] as const).map((loss) =>
    published('pgd', { id: `pgd-${loss}`, loss, steps: 10 }),
  ),
  published('mi-fgsm'),
  published('apgd', { steps: 20 }),
  published('apgd-t', { steps: 20 }),
  published('fab', { steps: 20 }),
  published('fab-t', { steps: 20 }),
  published('deepfool'),
  published('square', { queries: 100 }),
]
const IN_L2: readonly AttackSpec[] = [
  published('cw', { steps: 30, binarySearchSteps: 2 }),
  published('ddn', { steps: 30 }),
]
const EPSILONS: Readonly<Record<Norm, number>> = { linf: 0.2, l2: 0.35, l1: 0.6 }
const IMAGES = 6

/** Five classes of four pixels, what is added to their logits given: the outcomes of every attack on the same images. */
async function outcomes(added: readonly number[], norm: Norm): Promise<readonly ImageResult['outcome'][]> {
  const constants = {
    w: reals('float32', [4, 6], 11),
    v: reals('float32', [6, 5], 13),
    added: floating('float32', [5], added),
  }
  const bytes = encodeModel({
    name: 'excluding',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
    outputs: [{ name: 'y' }],
    nodes: [
      makeNode('MatMul', ['x', 'w'], ['h']),
      makeNode('Tanh', ['h'], ['t']),
      makeNode('MatMul', ['t', 'v'], ['z']),
      makeNode('Add', ['z', 'added'], ['y']),
    ],
    constants: new Map(Object.entries(constants)),
  })
  const { engine, plan } = await loadModel({
    ...loadRequest('fashion/fashion-hardened.onnx', dataset('fashion/fashion-test.npz', 1), { batch: 16 }),
    model: { name: 'excluding.onnx', bytes, external: {} },
    shape: [4],
    layout: 'flat',
    threats: [{ id: 'threat', norm, epsilon: EPSILONS[norm] }],
    attacks: norm === 'l2' ? [...ATTACKS, ...IN_L2] : ATTACKS,
  })
  expect(plan.gradient).toBe(true)
  const all = reals('float32', [4 * IMAGES], 17, 0.1, 0.9).data as Float32Array
  const points = Array.from({ length: IMAGES }, (_, at) => all.slice(4 * at, 4 * at + 4))
  const said = await engine.prediction.answer(points.map((point) => ({ kind: 'prediction', point })))
  const results: ImageResult['outcome'][] = []
  const scheduler = new Scheduler<ImageResult>(engine, ({ outcome }) => results.push(outcome))
  await scheduler.run(
    points.map((pixels, index) => evaluateImage({ index, label: said[index].predicted, pixels, diagnose: true }, plan)),
  )
  return results.toSorted((one, other) => one.index - other.index)
}

const broken = (results: readonly ImageResult['outcome'][]) =>
  results.map(({ threats }) =>
    Object.fromEntries(
      Object.entries(threats.threat.attacks).map(([id, { success, predicted }]) => [id, [success, predicted]]),
    ),
  )

/** Models mask classes that a task does not have; an attack that met NaN there would call the model robust. */
describe('classes that a model excludes with −∞', () => {
  test.each(['linf', 'l2', 'l1'] as const)('%s: one is as good as far behind', async (norm) => {
    const results = await outcomes([0, 0, -Infinity, 0, 0], norm)
    // The user would look for square roots and divisions by 0 that the model does not have.
    for (const { signs } of results) expect(signs ?? []).not.toContain('non-finite-gradient')
    const excluded = broken(results)
    expect(excluded).toEqual(broken(await outcomes([0, 0, -1e9, 0, 0], norm)))
    expect(excluded.some((attacks) => Object.values(attacks).every(([success]) => success))).toBe(true)
  })

  // Of two classes there is no ratio: without the margin in its place DLR would go nowhere.
  test.each(['linf', 'l2', 'l1'] as const)(
    '%s: with two classes left DLR breaks what the margin breaks',
    async (norm) => {
      const attacks = broken(await outcomes([-Infinity, 0, 0, -Infinity, -Infinity], norm))
      expect(attacks.filter((of) => of['pgd-margin'][0]).length).toBeGreaterThan(1)
      for (const of of attacks) expect([of['pgd-dlr'], of['apgd-t']]).toEqual([of['pgd-margin'], of['pgd-margin']])
    },
  )

  test.each(['linf', 'l2', 'l1'] as const)(
    '%s: with one class left nothing breaks, neither image nor attack',
    async (norm) => {
      const results = await outcomes([-Infinity, -Infinity, 0, -Infinity, -Infinity], norm)
      expect(results).toHaveLength(IMAGES)
      for (const { threats } of results)
        for (const { success, predicted, distance } of Object.values(threats.threat.attacks)) {
          expect([success, predicted]).toEqual([false, 2])
          // NaN would be a pixel that is no number.
          expect(distance).toBeGreaterThanOrEqual(0)
          expect(distance).toBeLessThan(Infinity)
        }
    },
  )
})
