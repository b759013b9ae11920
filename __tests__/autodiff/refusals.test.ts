import { expect, test } from '@jest/globals'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { composed, differentiate, integers, reals, single } from './support.js'

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

/** As many as two, but nobody knows before the image is there. */
const counted = [
  makeNode('ReduceMax', ['x'], ['most'], { keepdims: 0 }),
  makeNode('Cast', ['most'], ['whole'], { to: 7 }),
  makeNode('Mul', ['whole', 'none'], ['nothing']),
  makeNode('Add', ['nothing', 'sizes'], ['counts']),
]
const brighter = [makeNode('Less', ['x', 'bound'], ['each']), makeNode('Reshape', ['each', 'flat'], ['kept'])]
const tiny = { type: 'float32', dims: [1], data: Float32Array.of(2) } as const
const packed = { type: 'uint8', dims: [4, 1, 8], data: Uint8Array.from({ length: 32 }, (_, at) => 7 * at) } as const

/** Each of these has a row that says exact: the sentence above the table, or its note, says of what. */
test.each([
  ['Tile', 'repeats', counted, makeNode('Tile', ['x', 'counts'], ['y'], {}, 'chosen'), { sizes: [1, 2] }],
  ['Pad', 'pads', counted, makeNode('Pad', ['x', 'counts'], ['y'], {}, 'chosen'), { sizes: [0, 1, 0, 0] }],
  [
    'Slice',
    'bounds',
    counted,
    makeNode('Slice', ['x', 'from', 'counts'], ['y'], {}, 'chosen'),
    { sizes: [1, 2], from: [0, 0] },
  ],
  [
    'Resize',
    'sizes',
    counted,
    makeNode('Resize', ['x', '', '', 'counts'], ['y'], { keep_aspect_ratio_policy: 'not_smaller' }, 'chosen'),
    { sizes: [1, 8] },
  ],
  ['Compress', 'a condition', brighter, makeNode('Compress', ['x', 'kept'], ['y'], { axis: 1 }, 'chosen'), {}],
  [
    'com.microsoft.MatMulNBits',
    'weights',
    [makeNode('Reshape', ['x', 'flat'], ['steps'])],
    makeNode(
      'MatMulNBits',
      ['wide', 'packed', 'steps'],
      ['y'],
      { K: 16, N: 4, bits: 4, block_size: 16 },
      'chosen',
      'com.microsoft',
    ),
    {},
  ],
])('%s, of %s computed from the image', async (operator, what, before, node, sizes) => {
  const whole = Object.entries(sizes).map(([name, values]) => [name, integers(values)] as const)
  const constants = {
    ...{ none: integers([0], []), flat: integers([-1]), bound: tiny, packed, wide: reals('float32', [1, 16], 3) },
    ...Object.fromEntries(whole),
  }
  const error = await refusal({ ...composed(operator, [4], [...before, node], constants), batch: 1 })
  expect(error).toBeInstanceOf(UsageError)
  expect(String(error)).toContain(operator)
  expect(String(error)).toMatch(new RegExp(`"chosen".* has ${what}.* computed.*no gradient rule`))
})

/** onnxruntime pads less than nothing there, that is it begins inside the image, and where is another matter for each operator. */
test.each([
  [
    'AveragePool',
    single('AveragePool', [1, 6, 6], { attributes: { kernel_shape: [1, 1], strides: [3, 3], auto_pad: 'SAME_UPPER' } }),
  ],
  [
    'LpPool',
    single('LpPool', [1, 8, 8], { attributes: { kernel_shape: [2, 2], strides: [4, 4], auto_pad: 'SAME_UPPER' } }),
  ],
  [
    'Conv',
    single('Conv', [1, 8, 8], {
      constants: { w: reals('float32', [1, 1, 1, 1], 3) },
      attributes: { strides: [4, 4], auto_pad: 'SAME_UPPER' },
    }),
  ],
])('%s with auto_pad and windows farther apart than they reach', async (operator, tested) => {
  const error = await refusal(tested)
  expect(error).toBeInstanceOf(UsageError)
  expect(String(error)).toMatch(new RegExp(`"tested" \\(${operator}\\).*no gradient rule.*with pads`))
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
