import { InferenceSession, Tensor } from 'onnxruntime-node'
import { transpile } from '../scripts/transpile.mjs'

/**
 * The ways a rule could have been written, each against the others on the shapes where it matters: why the rules in
 * src/autodiff/rules are what they are.
 *
 *     node bench/alternatives.mjs
 *
 * One thread; what is compared runs in turn; a figure is the median of 25 rounds, over that of the way that was chosen.
 */
await transpile()
const { makeNode } = await import('../.build/onnx/attributes.js')
const { encodeModel } = await import('../.build/onnx/codec.js')

const size = (dims) => dims.reduce((product, length) => product * length, 1)
const values = (dims) => Float32Array.from({ length: size(dims) }, (_, at) => ((at * 0.6180339887498949) % 1) - 0.5)
const floats = (dims, data = values(dims)) => ({ type: 'float32', dims, data })
const ints = (list) => ({ type: 'int64', dims: [list.length], data: BigInt64Array.from(list, BigInt) })
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** @param ways name → [nodes from the inputs to `y`, constants]; the first is the one that was chosen. */
async function compare(title, inputs, ways) {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { dims, data }]) => [name, new Tensor('float32', data, dims)]),
  )
  const runs = []
  for (const [way, [nodes, constants = {}]] of Object.entries(ways)) {
    const model = encodeModel({
      name: 'way',
      opsets: new Map([['', 24]]),
      irVersion: 10,
      inputs: Object.entries(inputs).map(([name, { dims }]) => ({ name, type: 'float32', dims })),
      outputs: [{ name: 'y' }],
      nodes,
      constants: new Map(Object.entries(constants)),
    })
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all', logSeverityLevel: 4 }
    runs.push({ way, session: await InferenceSession.create(model, options), times: [] })
  }
  for (let round = -3; round < 25; round++)
    for (const { session, times } of runs) {
      const began = performance.now()
      await session.run(feeds)
      if (round >= 0) times.push(performance.now() - began)
    }
  const chosen = median(runs[0].times)
  return runs.map(({ way, times }) => ({
    what: title,
    way,
    ms: median(times).toFixed(2),
    'over chosen': (median(times) / chosen).toFixed(2),
  }))
}

function reluMask() {
  const dims = [64, 16, 14, 14]
  const y = floats(
    dims,
    values(dims).map((value) => Math.max(value, 0)),
  )
  const times = (mask, ...nodes) => [[...nodes, makeNode('Mul', ['g', mask], ['y'])]]
  return compare(
    'ReLU, [64, 16, 14, 14]',
    { r: y, g: floats(dims) },
    {
      'steep HardSigmoid': times(
        'm',
        makeNode('HardSigmoid', ['r'], ['m'], { alpha: { float: 3.4e38 }, beta: { float: 0 } }),
      ),
      Sign: times('m', makeNode('Sign', ['r'], ['m'])),
      Where: [
        [makeNode('Cast', ['r'], ['m'], { to: 9 }), makeNode('Where', ['m', 'g', 'zero'], ['y'])],
        { zero: floats([], Float32Array.of(0)) },
      ],
    },
  )
}

/** Conv k × k at stride 2 from `from` to `to` channels of h × h pixels, backwards. */
function stridedConv(from, to, h, k) {
  const [half, pad, taps] = [h / 2, Math.floor((k - 1) / 2), Math.ceil(k / 2)]
  const behind = Math.floor((pad + h - 1) / 2) + 1 - half
  const rest = h + pad - ((half - 1) * 2 + k)
  const [end, beyond] = [Math.max(-rest, 0), Math.max(rest, 0)]
  const transposed = { strides: [2, 2], pads: [pad, pad, end, end], output_padding: [beyond, beyond] }
  const phases = [
    makeNode('Conv', ['g', 'w'], ['c'], { pads: [taps - 1, taps - 1, behind, behind] }),
    makeNode('DepthToSpace', ['c'], ['d'], { blocksize: 2, mode: 'CRD' }),
    makeNode('Slice', ['d', 'from', 'to', 'axes'], ['y']),
  ]
  const cut = { from: ints([pad, pad]), to: ints([pad + h, pad + h]), axes: ints([2, 3]) }
  return compare(
    `Conv ${k}×${k}/2, ${from} → ${to}, ${h}×${h}`,
    { g: floats([32, to, half, half]) },
    {
      ConvTranspose: [[makeNode('ConvTranspose', ['g', 'w'], ['y'], transposed)], { w: floats([to, from, k, k]) }],
      'phases and DepthToSpace': [phases, { w: floats([4 * from, to, taps, taps]), ...cut }],
    },
  )
}

function unitStride(channels, h) {
  const pads = [1, 1, 1, 1]
  const w = floats([channels, channels, 3, 3])
  return compare(
    `Conv 3×3/1, ${channels}, ${h}×${h}`,
    { g: floats([32, channels, h, h]) },
    {
      'Conv, kernel turned': [[makeNode('Conv', ['g', 'w'], ['y'], { pads })], { w }],
      ConvTranspose: [[makeNode('ConvTranspose', ['g', 'w'], ['y'], { pads })], { w }],
    },
  )
}

const rows = [
  await reluMask(),
  await unitStride(32, 32),
  await unitStride(128, 8),
  await stridedConv(1, 16, 28, 4),
  await stridedConv(16, 32, 14, 4),
  await stridedConv(32, 64, 32, 3),
  await stridedConv(128, 256, 8, 3),
]
console.table(rows.flat())
