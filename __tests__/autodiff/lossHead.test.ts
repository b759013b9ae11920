import { describe, expect, test } from '@jest/globals'
import { LOSSES, lossHead } from '../../src/autodiff/lossHead.js'
import type { HeadLoss } from '../../src/autodiff/lossHead.js'
import { GraphBuilder } from '../../src/onnx/builder.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { CANONICAL_OPSET } from '../../src/onnx/graph.js'
import type { Graph, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { floating, integers } from './support.js'

interface Row {
  readonly logits: readonly number[]
  readonly label: number
  readonly target: number
  readonly direction: readonly number[]
}

const sorted = (z: readonly number[]): readonly number[] => z.toSorted((a, b) => b - a)
const rival = ({ label }: Row, z: readonly number[]): number => Math.max(...z.filter((_, at) => at !== label))
const logSumExp = (z: readonly number[]): number => {
  const top = Math.max(...z)
  return top + Math.log(z.reduce((total, value) => total + Math.exp(value - top), 0))
}

/** The formulas as the papers print them (Croce & Hein 2020, eq. 6 and 7; Carlini & Wagner 2017, f₆), in double. */
const FORMULAS: Readonly<Record<HeadLoss, (row: Row, z: readonly number[]) => number>> = {
  'cross-entropy': ({ label }, z) => logSumExp(z) - z[label],
  margin: (row, z) => rival(row, z) - z[row.label],
  dlr: (row, z) => -(z[row.label] - rival(row, z)) / (sorted(z)[0] - sorted(z)[2]),
  'targeted-dlr': ({ label, target }, z) =>
    -(z[label] - z[target]) / (sorted(z)[0] - (sorted(z)[2] + sorted(z)[3]) / 2),
  linear: ({ direction }, z) => z.reduce((total, value, at) => total + value * direction[at], 0),
}

const ROWS: readonly Row[] = [
  { logits: [1.5, -0.25, 3, 0.5, 2.25], label: 2, target: 0, direction: [1, -1, 0.5, 0, 2] },
  { logits: [1.5, -0.25, 3, 0.5, 2.25], label: 1, target: 4, direction: [0, 0, -1, 1, 0] },
  { logits: [-40, 12, 3, 55, 54], label: 3, target: 1, direction: [1, 0, 0, 0, 0] },
]

async function evaluate(
  rows: readonly Row[],
  codes: readonly number[],
): Promise<{ value: readonly number[]; gradient: readonly number[][] }> {
  const classes = rows[0].logits.length
  const empty: Graph = {
    name: 'head',
    opsets: new Map([['', CANONICAL_OPSET]]),
    irVersion: 10,
    inputs: [
      { name: 'z', type: 'float32', dims: ['n', classes] },
      { name: 'label', type: 'int64', dims: ['n'] },
      { name: 'loss', type: 'int64', dims: ['n'] },
      { name: 'target', type: 'int64', dims: ['n'] },
      { name: 'direction', type: 'float32', dims: ['n', classes] },
    ],
    outputs: [],
    nodes: [],
    constants: new Map(),
  }
  const b = new GraphBuilder(empty, 'head')
  const head = lossHead(b, 'z', classes, { label: 'label', loss: 'loss', target: 'target', direction: 'direction' })
  b.addNamed('value', 'Identity', [head.value])
  b.addNamed('gradient', 'Identity', [head.gradient])
  const model = encodeModel(b.build(empty, { outputs: [{ name: 'value' }, { name: 'gradient' }] }))
  const feeds = new Map<string, Tensor>([
    [
      'z',
      floating(
        'float32',
        [rows.length, classes],
        rows.flatMap(({ logits }) => logits),
      ),
    ],
    ['label', integers(rows.map(({ label }) => label))],
    ['loss', integers(codes)],
    ['target', integers(rows.map(({ target }) => target))],
    [
      'direction',
      floating(
        'float32',
        [rows.length, classes],
        rows.flatMap(({ direction }) => direction),
      ),
    ],
  ])
  const results = await runModel(model, feeds)
  const flat = Array.from(results.get('gradient')?.data as Float32Array)
  return {
    value: Array.from(results.get('value')?.data as Float32Array),
    gradient: rows.map((_, at) => flat.slice(at * classes, (at + 1) * classes)),
  }
}

/** float32 sums of a handful of terms of size ≤ 100: 100 × 6e−8 and a little. */
const TOLERANCE = 2e-5

describe.each(LOSSES.map((loss, code) => [loss, code] as const))('%s', (loss, code) => {
  test('has the value and the derivative of its formula', async () => {
    const { value, gradient } = await evaluate(
      ROWS,
      ROWS.map(() => code),
    )
    ROWS.forEach((row, at) => {
      const formula = (z: readonly number[]): number => FORMULAS[loss](row, z)
      expect(Math.abs(value[at] - formula(row.logits))).toBeLessThan(TOLERANCE)
      row.logits.forEach((_, place) => {
        const moved = (h: number): number => formula(row.logits.map((z, other) => z + (other === place ? h : 0)))
        expect(Math.abs(gradient[at][place] - (moved(1e-5) - moved(-1e-5)) / 2e-5)).toBeLessThan(TOLERANCE)
      })
    })
  })
})

test('images of one batch each follow their own loss', async () => {
  const row = ROWS[0]
  const codes = LOSSES.map((_, code) => code)
  const together = await evaluate(
    codes.map(() => row),
    codes,
  )
  for (const code of codes) {
    const alone = await evaluate([row], [code])
    expect(together.value[code]).toBe(alone.value[0])
    expect(together.gradient[code]).toEqual(alone.gradient[0])
  }
})

test('a loss that is infinite or undefined where it was not chosen leaves the chosen one alone', async () => {
  // All logits equal: DLR divides by nothing but 1e−12; logits of ±1e30 overflow its square.
  const rows = [
    [0, 0, 0, 0, 0],
    [1e30, -1e30, 0, 0, 0],
  ].map((logits) => ({ ...ROWS[0], logits, label: 0 }))
  const { value, gradient } = await evaluate(rows, [0, 0])
  expect(value[0]).toBeCloseTo(Math.log(5), 6)
  expect(gradient[0].map((slope) => Math.round(slope * 1e6) / 1e6)).toEqual([-0.8, 0.2, 0.2, 0.2, 0.2])
  expect(Math.abs(value[1])).toBe(0)
  expect(gradient[1].map(Math.abs)).toEqual([0, 0, 0, 0, 0])
})

test('with too few classes for a ratio both kinds of DLR are the margin', async () => {
  const rows: readonly Row[] = [{ logits: [0.25, 1.5], label: 1, target: 0, direction: [0, 0] }]
  for (const loss of ['dlr', 'targeted-dlr'] as const) {
    const { value, gradient } = await evaluate(rows, [LOSSES.indexOf(loss)])
    expect(value).toEqual([-1.25])
    expect(gradient).toEqual([[1, -1]])
  }
})

test('a class that the model excludes with −∞ is no NaN in the losses of the others', async () => {
  const row: Row = { logits: [1.5, -Infinity, 3, 0.5, 2.25], label: 2, target: 0, direction: [0, 0, 0, 0, 0] }
  for (const loss of ['cross-entropy', 'margin', 'dlr', 'targeted-dlr'] as const) {
    const { value, gradient } = await evaluate([row], [LOSSES.indexOf(loss)])
    const finite = row.logits.map((logit) => (logit === -Infinity ? -1e9 : logit))
    expect(Math.abs(value[0] - FORMULAS[loss](row, finite))).toBeLessThan(TOLERANCE)
    expect(gradient[0].every(Number.isFinite)).toBe(true)
  }
})

/** A masked classifier would else be called robust: without a slope the attack stands still. */
test.each([
  ['dlr', [1.5, -Infinity, 3, -Infinity, -Infinity], 0],
  ['targeted-dlr', [1.5, -Infinity, 3, -Infinity, 2.5], 4],
  ['targeted-dlr', [1.5, -Infinity, 3, -Infinity, -Infinity], 0],
] as const)('%s of %p, which leave too few classes for a ratio, is the margin', async (loss, logits, target) => {
  const row: Row = { logits, label: 2, target, direction: [0, 0, 0, 0, 0] }
  const other = ROWS[0]
  const { value, gradient } = await evaluate([row, other], [LOSSES.indexOf(loss), LOSSES.indexOf(loss)])
  expect(value[0]).toBe(logits[target] - 3)
  expect(gradient[0]).toEqual(logits.map((_, at) => Number(at === target) - Number(at === 2)))
  // The image beside it has classes enough.
  expect(Math.abs(value[1] - FORMULAS[loss](other, other.logits))).toBeLessThan(TOLERANCE)
})
