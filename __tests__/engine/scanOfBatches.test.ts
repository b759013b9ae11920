import { describe, expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { openEngine } from '../../src/engine/openEngine.js'
import type { ElementType, Tensor } from '../../src/onnx/graph.js'
import { integers, floating } from '../autodiff/support.js'
import { body } from '../autodiff/cases/bodies.js'
import { dataset, loadRequest } from './support/fixtures.js'

/** Rows of 2 pixels, of which there are 3, added up by a Scan of opset 8: the two sums are the logits. */
function sums(batch: number, lengths?: readonly number[]) {
  const step = body(
    ['sum', 'row'],
    ['next', 'kept'],
    [makeNode('Add', ['sum', 'row'], ['next']), makeNode('Identity', ['next'], ['kept'])],
  )
  const constants: [string, Tensor][] = [['start', floating('float32', [batch, 2], Array(batch * 2).fill(0))]]
  if (lengths) constants.push(['lengths', integers(lengths)])
  const type: ElementType = 'float32'
  return {
    ...loadRequest('fashion/fashion-hardened.onnx', dataset('fashion/fashion-test.npz', 1), { batch: 16 }),
    shape: [3, 2],
    layout: 'flat' as const,
    model: {
      name: 'sums.onnx',
      bytes: encodeModel({
        name: 'sums',
        opsets: new Map([['', 8]]),
        irVersion: 4,
        inputs: [{ name: 'x', type, dims: [batch, 3, 2] }],
        outputs: [{ name: 'y', type, dims: [batch, 2] }],
        nodes: [
          makeNode(
            'Scan',
            [lengths ? 'lengths' : '', 'start', 'x'],
            ['y', 'all'],
            { body: step, num_scan_inputs: 1 },
            'scan',
          ),
        ],
        constants: new Map(constants),
      }),
      external: {},
    },
  }
}

/** Else a model that onnxruntime runs would end the gate with an error about a node that it does not have. */
describe('a Scan of opset 8 that no newer one replaces is attacked without gradients, and the reason is told', () => {
  test.each([
    ['two images at a time', 2, undefined, [9, 12]],
    ['a sequence that ends after two rows', 1, [2], [4, 6]],
    ['two of them, of two rows and one', 2, [2, 1], [4, 6]],
  ] as const)('%s', async (_, batch, lengths, expected) => {
    const { engine, facts, obstacle } = await openEngine(sums(batch, lengths), 'all')
    expect(obstacle).toBe('operator Scan-8 (node "scan") has no gradient rule; export the model for opset 9 or newer')
    expect(facts.originalBatch).toBe(batch)
    const [{ logits }] = await engine.prediction.answer([
      { kind: 'prediction', point: Float32Array.of(1, 2, 3, 4, 5, 6) },
    ])
    expect([...logits]).toEqual(expected)
  })
})
