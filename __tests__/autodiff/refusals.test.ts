import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { composed, differentiate, single } from './support.js'

/** A gradient of something else would be worse than none: the user hears which node it is and what to do. */
async function refusal(tested: Parameters<typeof differentiate>[0]): Promise<unknown> {
  return differentiate(tested).catch((error: unknown) => error)
}

test('a reduction whose axes are computed from the image', async () => {
  const nodes = [
    makeNode('ArgMax', ['x'], ['axes'], { axis: 1, keepdims: 0 }),
    makeNode('ReduceSum', ['x', 'axes'], ['y'], {}, 'chosen'),
  ]
  const error = await refusal({ ...composed('ReduceSum', [2], nodes), batch: 1 })
  expect(error).toBeInstanceOf(UsageError)
  expect(String(error)).toMatch(/ReduceSum \(node "chosen"\) has axes that are computed.*export it with constant axes/)
})

test('a Dropout that trains', async () => {
  const training = { type: 'bool' as const, dims: [], data: Uint8Array.of(1) }
  const error = await refusal(
    single('Dropout', [8], { inputs: ['x', '', 'training'], constants: { training }, batch: 1 }),
  )
  expect(error).toBeInstanceOf(UsageError)
  expect(String(error)).toMatch(/Dropout \(node "tested"\) with training_mode.*inference mode/)
})

test('numbers of float8, which the runtime for Node.js does not hand over', async () => {
  const nodes = [
    makeNode('Cast', ['x'], ['eighth'], { to: 17 }, 'narrow'),
    makeNode('Cast', ['eighth'], ['y'], { to: 1 }),
  ]
  const error = await refusal(composed('Cast', [2], nodes))
  expect(error).toBeInstanceOf(UsageError)
  expect(String(error)).toMatch(/"narrow" \(Cast\) gives FLOAT8E4M3FN.*export the model with int8 or float16/)
})
