import { describe, expect, test } from '@jest/globals'
import { inspectModel } from '../../src/autodiff/inspect.js'
import type { SurrogateOptions } from '../../src/autodiff/surrogate.js'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { mnist } from './asking.js'
import { build, dense, four, gemm, model, withDistances } from './smallClassifier.js'

describe('models that cannot be attacked with gradients', () => {
  const refused = async (bytes: Uint8Array, options: SurrogateOptions = four): Promise<string> => {
    const error = await build(bytes, options).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(UsageError)
    const { message } = error as UsageError
    expect(message).not.toContain('\n')
    expect(message).toContain('small.onnx')
    return message
  }

  test('what cannot be attacked is refused with its reason', async () => {
    const two = {
      inputs: [
        { name: 'x', type: 'float32' as const, dims: ['n', 4] },
        { name: 'mask', type: 'float32' as const, dims: ['n', 4] },
      ],
    }
    expect(
      await refused(
        model([makeNode('Mul', ['x', 'mask'], ['m']), makeNode('Gemm', ['m', 'w', 'c'], ['y'])], dense(3), two),
      ),
    ).toMatch(/2 inputs \(x, mask\)/)
    const whole = { inputs: [{ name: 'x', type: 'int64' as const, dims: ['n', 4] }] }
    expect(
      await refused(
        model([makeNode('Cast', ['x'], ['f'], { to: 1 }), makeNode('Gemm', ['f', 'w', 'c'], ['y'])], dense(3), whole),
      ),
    ).toMatch(/"x" is of type int64/)
    expect(await refused(withDistances())).toMatch(/com\.microsoft\.CDist \(node "distance"\) has no gradient rule/)
    expect(await refused(model([gemm('y')], dense(3)), { ...mnist })).toMatch(
      /takes images of shape \[4\] but the data's are \[1, 28, 28\]/,
    )
  })

  test('inspect counts weights that an exporter wrote as nodes', async () => {
    const { w, c } = dense(3)
    const bytes = model([makeNode('Constant', [], ['w'], { value: w }), gemm('y')], { c })
    expect((await inspectModel({ name: 'small.onnx', bytes, external: {} })).parameters).toBe(4 * 3 + 3)
  })

  test('inspect names the operators without a rule, and where they are', async () => {
    const bytes = withDistances()
    const inspection = await inspectModel({ name: 'small.onnx', bytes, external: {} })
    expect(inspection).toMatchObject({
      inputs: [{ name: 'x', type: 'float32', dims: ['n', 4] }],
      parameters: 24,
      operators: [
        { operator: 'Gemm', count: 1, gradient: 'rule' },
        { operator: 'com.microsoft.CDist', count: 1, gradient: 'missing', nodes: ['distance'] },
      ],
    })
    expect(inspection.problems).toEqual([
      expect.stringMatching(/^operator com\.microsoft\.CDist \(node "distance"\) has no gradient rule; /),
    ])
  })
})
