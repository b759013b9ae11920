import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { UsageError } from '../../src/errors.js'
import { loadModel } from '../../src/engine/load.js'
import { dataset, loadRequest } from './support/fixtures.js'

test('an operator that onnxruntime does not know is named, with what to do: the user’s to mend, not a crash', async () => {
  const bytes = encodeModel({
    name: 'custom',
    opsets: new Map([
      ['', 17],
      ['weird', 1],
    ]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: ['n', 1, 28, 28] }],
    outputs: [{ name: 'y', type: 'float32', dims: ['n', 784] }],
    nodes: [makeNode('Flatten', ['x'], ['flat']), makeNode('Foo', ['flat'], ['y'], {}, 'odd', 'weird')],
    constants: new Map(),
  })
  const request = loadRequest('fashion/fashion-standard.onnx', dataset('fashion/fashion-test.npz', 1))
  const loading = loadModel({ ...request, model: { name: 'custom.onnx', bytes, external: {} } })
  await expect(loading).rejects.toThrow(UsageError)
  await expect(loading).rejects.toThrow(/^custom\.onnx: .*weird\.Foo.*odd.*; nor does onnxruntime run it \(/)
})
