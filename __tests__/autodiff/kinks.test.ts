import { describe, expect, test } from '@jest/globals'
import type { AttributeValues } from '../../src/onnx/attributes.js'
import { differentiate, floating, numbersOf, single } from './support.js'

interface Kink {
  readonly op: string
  readonly x: readonly number[]
  /** d Σy / dx: PyTorch's answer where PyTorch has the operator. */
  readonly slopes: readonly number[]
  readonly others?: Readonly<Record<string, readonly number[]>>
  readonly attributes?: AttributeValues
  /** Axis 1 is reduced. */
  readonly reduces?: boolean
  /** The same in each of so many channels of a map, which is differentiated in operators of its own. */
  readonly channels?: number
}

const KINKS: readonly Kink[] = [
  { op: 'Abs', x: [0, -2], slopes: [0, -1] },
  { op: 'Relu', x: [0, 2], slopes: [0, 1] },
  { op: 'LeakyRelu', x: [0, 1], attributes: { alpha: { float: 0.25 } }, slopes: [0.25, 1] },
  { op: 'Elu', x: [0, 1], attributes: { alpha: { float: 0.5 } }, slopes: [0.5, 1] },
  { op: 'LeakyRelu', x: [0, 1], attributes: { alpha: { float: 0.25 } }, slopes: [0.25, 1], channels: 16 },
  { op: 'HardSigmoid', x: [-2.5, 0, 2.5], slopes: [0, Math.fround(0.2), 0] },
  { op: 'HardSigmoid', x: [-2.5, 0, 2.5], slopes: [0, Math.fround(0.2), 0], channels: 16 },
  { op: 'HardSwish', x: [-4, -3, 0, 3, 4], slopes: [0, 0, 0.5, 1, 1] },
  { op: 'HardSwish', x: [-4, -3, 0, 3, 4], slopes: [0, 0, 0.5, 1, 1], channels: 16 },
  { op: 'Clip', x: [-1, 0, 1, 2], others: { low: [-1], high: [1] }, slopes: [1, 1, 1, 0] },
  { op: 'Celu', x: [0, 1], attributes: { alpha: { float: 0.5 } }, slopes: [1, 1] },
  { op: 'Selu', x: [0, 1], attributes: { alpha: { float: 0.5 }, gamma: { float: 1.25 } }, slopes: [0.625, 1.25] },
  { op: 'PRelu', x: [0, 1], others: { slope: [0.25, 0.25] }, slopes: [0.25, 1] },
  { op: 'ThresholdedRelu', x: [1, 2], slopes: [0, 1] },
  { op: 'Shrink', x: [-0.5, 0.5, 0.75], slopes: [0, 0, 1] },
  { op: 'Sign', x: [-1.5, -1, 0, 1], slopes: [0, 1, 1, 1] },
  { op: 'Max', x: [0, 1, -1], others: { c: [0, 0, 0] }, slopes: [0.5, 1, 0] },
  { op: 'Min', x: [0, 1, -1], others: { c: [0, 0, 0] }, slopes: [0.5, 0, 1] },
  { op: 'Max', x: [0, 1, -1], others: { a: [0, 1, 1], c: [-1, 1, 1] }, slopes: [0.5, Math.fround(1 / 3), 0] },
  { op: 'ReduceMax', x: [2, 1, 2, 0], slopes: [0.5, 0, 0.5, 0], reduces: true },
  { op: 'ReduceMin', x: [2, 0, 0, 0.5], slopes: [0, 0.5, 0.5, 0], reduces: true },
  { op: 'ReduceL1', x: [0, -3, 2], slopes: [0, -1, 1], reduces: true },
  { op: 'ReduceL2', x: [0, 0], slopes: [0, 0], reduces: true },
  { op: 'ReduceL2', x: [3, -4], slopes: [Math.fround(0.6), Math.fround(-0.8)], reduces: true },
  { op: 'ReduceProd', x: [2, -3, 4], slopes: [-12, 8, -6], reduces: true },
  { op: 'ReduceProd', x: [2, 0, 3], slopes: [0, 6, 0], reduces: true },
  { op: 'ReduceProd', x: [2, 0, 0], slopes: [0, 0, 0], reduces: true },
]

/** An attack that starts on a plateau or a tie goes where the first slope sends it; NaN there would end it. */
describe('kinks and ties', () => {
  test.each(KINKS.map((kink) => [`${kink.op} at ${kink.x.join(', ')}${kink.channels ? ', maps' : ''}`, kink] as const))(
    '%s',
    async (_name, kink) => {
      const { op, others = {}, attributes, reduces, channels = 1 } = kink
      const [x, slopes] = [kink.x, kink.slopes].map((values) => Array.from({ length: channels }, () => values).flat())
      const shape = kink.channels ? [channels, 1, kink.x.length] : [x.length]
      const operands = Object.entries(others).map(([name, values]) => [
        name,
        floating('float32', values.length === 1 ? [] : [values.length], values),
      ])
      const constants = reduces ? { axes: [1] } : Object.fromEntries(operands)
      const { vjp, forward } = await differentiate(single(op, shape, { constants, attributes }))
      const point = floating('float32', [1, ...shape], x)
      const { dims } = await forward(point)
      const ones = floating('float32', dims, new Float32Array(reduces ? 1 : x.length).fill(1))
      expect(numbersOf(await vjp(point, ones)).map((slope) => slope + 0)).toEqual(slopes) // −0 is 0
    },
  )
})
