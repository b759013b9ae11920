import { expect, test } from '@jest/globals'
import type { Inspection } from '../../src/autodiff/inspection.js'
import { inspectionText } from '../../src/cli/inspection.js'

const inspection: Inspection = {
  name: 'model.onnx',
  bytes: 1000,
  opsets: { '': 17 },
  inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
  outputs: [{ name: 'y', type: 'float32', dims: ['n', 3] }],
  parameters: 12,
  operators: [
    { operator: 'Gemm', count: 2, gradient: 'rule' },
    { operator: 'Relu', count: 1, gradient: 'subgradient' },
  ],
  attackable: 'yes',
  problems: [],
}

test('says of every operator what its gradient is', () => {
  const text = inspectionText(inspection)
  expect(text).toMatch(/^Gemm +2 +yes$/m)
  expect(text).toMatch(/^Relu +1 +yes, a subgradient at kinks$/m)
  expect(text).toMatch(/the gate can attack this model\.$/m)
  expect(text).not.toContain('Straight-through')
})

test('says which operators are flat, and that the model decides all the same', () => {
  const operators = [
    ...inspection.operators,
    { operator: 'QLinearConv', count: 5, gradient: 'straight-through' as const },
  ]
  const text = inspectionText({ ...inspection, operators })
  expect(text).toMatch(/^QLinearConv +5 +straight-through$/m)
  expect(text).toMatch(/^Straight-through \(QLinearConv\): .*the model itself decides/m)
})

test('a model with a problem is not said to be attackable', () => {
  const text = inspectionText({ ...inspection, attackable: 'no', problems: ['has 2 inputs (x, y); …'] })
  expect(text).toContain('The gate cannot attack this model:')
  expect(text).not.toContain('can attack')
})

test('a model without a gradient is attacked, and nobody takes that for a whole attack', () => {
  const problems = ['operator Mish (node "a") has no gradient rule; …']
  const text = inspectionText({ ...inspection, attackable: 'without-gradients', problems })
  expect(text).toMatch(/without gradients.*upper bound.*inconclusive/)
  expect(text).toContain('• operator Mish')
  expect(text).not.toContain('can attack')
})

test('what an evaluation is going to say is said, and where nobody tried, that nobody did', () => {
  const untried = 'the gradient was not made'
  const flags = [{ code: 'randomness', message: 'The model draws numbers (RandomNormalLike): …' }]
  const tried = inspectionText({ ...inspection, flags })
  expect(tried).toContain('• The model draws numbers')
  expect(tried).not.toContain(untried)
  expect(inspectionText(inspection)).toContain(untried)
})
