import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import { duration, planText } from '../../src/report/plan.js'
import type { Plan } from '../../src/report/plan.js'

const { suite, threats, seed, policy } = parseConfig({ flags: { epsilon: '8/255' } })

const plan: Plan = {
  data: { name: 'test.npz', samples: 1000, shape: [3, 32, 32], range: [0, 1] },
  images: 500,
  ...{ suite, threats, seed, quantised: false, timeLimit: 60, policy },
  models: [
    {
      ...{ role: 'candidate', name: 'new.onnx', workers: 2, attacks: ['fgsm'], gradients: 20_000, forwards: 500 },
      seconds: 100,
      trial: {
        ...{ classes: 10, batch: 64, engine: 'onnxruntime 1.30.0', gradient: true, flags: [] },
        ...{ images: 64, right: 7, secondsPerForward: 0.001, secondsPerGradient: 0.0025 },
      },
    },
  ],
  baseline: { state: 'missing' },
}

test('who plans a run reads what is attacked, how long that takes, and that the limit is too short', () => {
  const text = planText(plan)
  expect(text).toContain('500 of 1,000 images of 3 × 32 × 32')
  expect(text).toContain('Threats: Linf ε = 8/255')
  expect(text).toContain('right on 7 of the first 64 images (10.9 %)')
  expect(text).toContain(
    'At most 20,000 gradients and 500 predictions for 500 images, by 2 workers: at most about 2 min',
  )
  expect(text).toContain('Warning: that may be over its time limit of 60 s')
})

describe('of a baseline that is not evaluated it says why, in the words of the verdict, and what the policy will do', () => {
  const told = (baseline: Plan['baseline'], given: Partial<typeof policy> = {}) =>
    planText({ ...plan, baseline, policy: { ...policy, ...given } }).split('\n')

  test.each<[NonNullable<Plan['baseline']>, Partial<typeof policy>, string]>([
    [
      { state: 'missing' },
      {},
      'The baseline was not found: nothing is compared, and the model passes unless an absolute limit fails it (on-missing-baseline, by default: pass)',
    ],
    [
      { state: 'missing' },
      { onMissingBaseline: 'fail' },
      'The baseline was not found: nothing is compared, and the gate fails (on-missing-baseline: fail)',
    ],
    [
      { state: 'different', why: 'they differ in seed' },
      {},
      'The baseline was made with another suite, other data or another seed (they differ in seed): nothing is compared, and the gate fails (on-missing-baseline, by default: fail)',
    ],
    [
      { state: 'broken', why: 'no model' },
      { onMissingBaseline: 'pass' },
      'The baseline is broken (no model): nothing is compared, and the model passes unless an absolute limit fails it (on-missing-baseline: pass)',
    ],
    [
      { state: 'expired' },
      { failOn: 'never' },
      'The baseline has expired: nothing is compared, and the gate ends inconclusive, which fails no job (fail-on: never) (on-missing-baseline, by default: fail)',
    ],
    [{ state: 'none' }, { onMissingBaseline: 'fail' }, 'not wanted; only absolute limits apply'],
    [{ state: 'spared' }, {}, 'the same model, so the gate attacks nothing, and it passes'],
  ])('%j under %j', (baseline, given, line) => expect(told(baseline, given)).toContain(`Baseline: ${line}`))

  test('it does not say that what cannot be used can', () => {
    expect(told({ state: 'broken' })[0]).toContain('config, data and candidate can be used, the baseline cannot.')
    expect(told({ state: 'spared' })[0]).toContain('config and data can be used; the model was not looked into.')
    expect(told({ state: 'missing' })[0]).toContain('config, data and models can be used.')
  })
})

test('names of a stranger stay on their line', () => {
  const [model] = plan.models
  const hostile = { ...plan, models: [{ ...model, name: 'a\n```\n::error::b\u001b[31m' }] }
  expect(planText(hostile).split('\n')).toHaveLength(planText(plan).split('\n').length)
  expect(planText(hostile)).not.toContain('\u001b')
})

test.each([
  [0.2, '1 s'],
  [89, '89 s'],
  [91, '2 min'],
  [9000, '2.5 h'],
])('%d seconds are %s', (seconds, text) => expect(duration(seconds)).toBe(text))
