import { UsageError } from '../../errors.js'
import { describe } from '../../onnx/attributes.js'
import type { Node, Tensor } from '../../onnx/graph.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { straightThrough } from '../rule.js'
import { CELLS } from './cells.js'
import type { Cell } from './cells.js'
import { quantisedWithin } from './quantisation.js'
import type { Dynamic } from './quantisation.js'
import { unrolled } from './recurrent.js'

const real = ({ value, scale, zeroPoint }: Dynamic, b: GradientBuilder): string =>
  b.mul(b.add('Sub', [value, zeroPoint]), scale)

/** An LSTM whose state [1, N, H] is quantised before every step, with one scale for what lies along these axes. */
const rounding = (within: readonly number[]): Cell => ({
  ...CELLS.LSTM,
  prepare: (direction, b) => {
    const step = CELLS.LSTM.prepare(direction, b)
    return ([output, memory], at) => step([real(quantisedWithin(output, within, b), b), memory], at)
  },
})

/** Recurrent operators as onnxruntime's dynamic quantiser writes them. */
export const quantisedRecurrent: Readonly<Record<string, Expansion>> = {
  'com.microsoft.DynamicQuantizeLSTM': straightThrough(
    'rounding passes the gradient on; the scale has its own, the zero point none',
    (node, b) => {
      const [x, weights, states, ...rest] = node.inputs
      const [weightScale, weightZero, stateScale, stateZero] = rest.slice(5)
      // [T, N, I]: one scale for all steps of an image, and for all images where their number is fixed.
      const { batchAxis, dims } = b.observed(x)
      const within = batchAxis === undefined && dims[1] > 1 ? [0, 1, 2] : [0, 2]
      const input = real(quantisedWithin(x, within, b), b)
      b.replace(x, input)
      const turned = (value: string, scale: string, zero: string): string => realWeights(node, [value, scale, zero], b)
      return unrolled(rounding(within))(
        {
          ...node,
          op: 'LSTM',
          domain: '',
          inputs: [
            input,
            turned(weights, weightScale, weightZero),
            turned(states, stateScale, stateZero),
            ...rest.slice(0, 5),
          ],
        },
        b,
      )
    },
  ),
}

/** Weights [directions, inputs, 4H] as LSTM has them, [directions, 4H, inputs], with one scale for each direction or column. */
function realWeights(node: Node, names: readonly string[], b: GradientBuilder): string {
  const [weights, scales, zeros] = names.map((name) => b.constantOf(name))
  if (weights === undefined || scales === undefined || zeros === undefined)
    throw new UsageError(
      `${describe(node)} has weights that are computed, which has no gradient rule; export it with constant ones`,
    )
  const [directions, rows, columns] = weights.dims
  const parameter = ({ data }: Tensor, direction: number, column: number): number =>
    Number(data[data.length === directions ? direction : direction * columns + column])
  const values = Float64Array.from({ length: directions * rows * columns }, (_, at) => {
    const [direction, column, row] = [Math.floor(at / (rows * columns)), Math.floor(at / rows) % columns, at % rows]
    const whole = Number(weights.data[(direction * rows + row) * columns + column])
    return (whole - parameter(zeros, direction, column)) * parameter(scales, direction, column)
  })
  return b.tensor(values, [directions, columns, rows], node.inputs[0])
}
