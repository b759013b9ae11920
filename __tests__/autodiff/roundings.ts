import { floatAttribute } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Graph, Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'

/** Half a unit in the last place of float32: how much one rounding is off, of the number that is rounded. */
export const ROUNDING = 2 ** -24

/** A number as float32 has it, and how far that may be from the number that was meant. */
interface Inexact {
  readonly value: number
  readonly error: number
}

/** How far `result` may be off: by the errors of what the node reads, times its slope, and by its own roundings. */
type Bound = (read: readonly Inexact[], result: number, node: Node) => number

const rounded = (...numbers: readonly number[]): number =>
  numbers.reduce((total, number) => total + ROUNDING * Math.abs(number), 0)
const errors = (read: readonly Inexact[]): number => read.reduce((total, { error }) => total + error, 0)

const exact: Bound = ([x]) => x.error
const clips: Bound = (read, result) => read.find(({ value }) => value === result)?.error ?? 0
const compares: Bound = () => 0
const chooses: Bound = ([condition, yes, no]) => (condition.value ? yes : no).error
/** x + x is exact. */
const adds: Bound = (read, sum, node) => errors(read) + (new Set(node.inputs).size === 1 ? 0 : rounded(sum))
const multiplies: Bound = ([a, b], product) =>
  Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + rounded(product)
const divides: Bound = ([a, b], quotient) =>
  (a.error + Math.abs(quotient) * b.error) / Math.abs(b.value) + rounded(quotient)
/** An attribute is rounded as a constant is. */
const leaks: Bound = ([x], result) => x.error + rounded(result, result)
const shifts: Bound = ([x], result) => x.error + rounded(x.value, result)

const clamps: Bound = ([x], result, node) => {
  if (result <= 0 || result >= 1) return 0
  const [slope, offset] = [floatAttribute(node, 'alpha', 0.2), floatAttribute(node, 'beta', 0.5)]
  return Math.abs(slope) * x.error + rounded(slope * x.value, slope * x.value, offset, result)
}

/** A factor and an offset for each channel; ·1 and +0 are exact. */
const convolves: Bound = ([x, factor, offset], result) => {
  const product = x.value * factor.value
  const meant = Math.abs(x.value) * factor.error + Math.abs(factor.value) * x.error + (offset?.error ?? 0)
  return meant + (Math.abs(factor.value) === 1 ? 0 : rounded(product)) + (offset?.value ? rounded(result) : 0)
}

/**
 * How far a kernel of onnxruntime may be off is asked here, not derived, for nobody publishes it: two units in the last place,
 * the most that the C library is off in float for any of these functions (GNU C Library manual, Known Maximum Errors in Math
 * Functions, x86_64), of the result.
 */
const KERNEL = 4

const evaluates =
  (slope: (x: number, result: number) => number): Bound =>
  ([x], result) =>
    Math.abs(slope(x.value, result)) * x.error + KERNEL * rounded(result)

/** Calculated with numbers up to 1, whatever the result: ½ + a quotient of polynomials. */
const squashes: Bound = ([x], result) => result * (1 - result) * x.error + KERNEL * rounded(1)

/** Of a value, or of the sum of two; made of its argument, of such functions and of 1. None is steeper than 2. */
const activates: Bound = (read, result) => {
  const x = read.reduce((sum, { value }) => sum + value, 0)
  const largest = Math.max(1, Math.abs(x), Math.abs(result))
  return 2 * (errors(read) + (read.length > 1 ? rounded(x) : 0)) + KERNEL * rounded(largest)
}

const BOUNDS: ReadonlyMap<string, Bound> = new Map([
  ...['Identity', 'Reshape', 'Neg', 'Abs', 'Relu', 'ThresholdedRelu'].map((op) => [op, exact] as const),
  ...['Greater', 'Less', 'And'].map((op) => [op, compares] as const),
  ...['Add', 'Sub', 'Sum'].map((op) => [op, adds] as const),
  ...['Mul', 'PRelu'].map((op) => [op, multiplies] as const),
  ...['Elu', 'Celu', 'Selu', 'Mish', 'Gelu', 'HardSwish', 'Softplus', 'Softsign'].map((op) => [op, activates] as const),
  ...['BiasGelu', 'FastGelu', 'QuickGelu'].map((op) => [op, activates] as const),
  ['Clip', clips],
  ['Where', chooses],
  ['Sigmoid', squashes],
  ['Div', divides],
  ['LeakyRelu', leaks],
  ['Shrink', shifts],
  ['HardSigmoid', clamps],
  ['Conv', convolves],
  ['Sqrt', ([x], root) => x.error / (2 * root) + rounded(root)],
  ['Exp', evaluates((_, y) => y)],
  ['Erf', evaluates((x) => (2 / Math.sqrt(Math.PI)) * Math.exp(-(x ** 2)))],
  ['Tanh', evaluates((_, y) => 1 - y ** 2)],
  ['Tan', evaluates((_, y) => 1 + y ** 2)],
  ['Sinh', evaluates((x) => Math.cosh(x))],
  ['Cosh', evaluates((x) => Math.sinh(x))],
  ['Asin', evaluates((x) => 1 / Math.sqrt(1 - x ** 2))],
  ['Acos', evaluates((x) => 1 / Math.sqrt(1 - x ** 2))],
  ['Atan', evaluates((x) => 1 / (1 + x ** 2))],
  ['Asinh', evaluates((x) => 1 / Math.sqrt(x ** 2 + 1))],
  ['Acosh', evaluates((x) => 1 / Math.sqrt(x ** 2 - 1))],
  ['Atanh', evaluates((x) => 1 / (1 - x ** 2))],
])

/**
 * How far each number of a value may be off in float32: the running error bound (Higham, Accuracy and Stability of Numerical
 * Algorithms, 2002, section 3.3), to first order. Beside every number of the graph, as onnxruntime calculates it, goes what it
 * may be off by: the errors of what it was made of, times the slope there, and 2⁻²⁴ of every number that was rounded (IEEE
 * 754; functions: {@link KERNEL}). So it grows where numbers cancel and where a slope is steep. For operators that work
 * element by element, at points that no rounding moves across a kink; of any other operator it knows nothing, and throws.
 */
export async function errorBound(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  value: string,
): Promise<readonly number[]> {
  const bounds = graph.nodes.map((node) => boundOf(node))
  const every = { ...graph, outputs: graph.nodes.map(({ outputs }) => ({ name: outputs[0] })) }
  const tensors = new Map([...graph.constants, ...feeds, ...(await runModel(encodeModel(every), feeds))])
  const errorsOf = new Map([...feeds].map(([name, { data }]) => [name, new Array<number>(data.length).fill(0)]))
  for (const [name, constant] of graph.constants) errorsOf.set(name, numbersOf(constant).map(constantError))
  graph.nodes.forEach((node, at) => {
    const result = found(tensors, node.outputs[0])
    const names = node.op === 'Reshape' ? node.inputs.slice(0, 1) : node.inputs.filter((name) => name !== '')
    const read = names.map((name, place) => {
      const tensor = found(tensors, name)
      const perChannel = node.op === 'Conv' && place > 0
      const dims = perChannel ? channelDims(tensor, node) : tensor.dims
      const [values, off] = [numbersOf(tensor), found(errorsOf, name)].map((all) => broadcast(all, dims, result.dims))
      return values.map((each, index) => ({ value: each, error: off[index] }))
    })
    const own = numbersOf(result).map((number, index) =>
      bounds[at](
        read.map((all) => all[index]),
        number,
        node,
      ),
    )
    errorsOf.set(node.outputs[0], own)
  })
  return found(errorsOf, value)
}

function boundOf(node: Node): Bound {
  const bound = BOUNDS.get(node.op)
  if (!bound) throw new Error(`It is not known what ${node.op} rounds`)
  return bound
}

/** Those with ten binary places at most are what was meant. */
function constantError(value: number): number {
  return Number.isInteger(value * 1024) ? 0 : rounded(value)
}

/** [C, 1, 1, 1] or [C] → [C, 1, 1] */
function channelDims({ dims }: Tensor, node: Node): readonly number[] {
  if (dims.slice(1).some((size) => size !== 1)) throw new Error(`${node.op} adds several products up`)
  return [dims[0], 1, 1]
}

function broadcast(values: readonly number[], from: readonly number[], to: readonly number[]): readonly number[] {
  const length = to.reduce((product, size) => product * size, 1)
  if (values.length === length) return values // Reshape, too
  const place = (at: number): number => {
    let [rest, stride, sum] = [at, 1, 0]
    for (let axis = 1; axis <= from.length; axis++) {
      const size = from[from.length - axis]
      const along = to[to.length - axis]
      sum += size === 1 ? 0 : (rest % along) * stride
      rest = Math.floor(rest / along)
      stride *= size
    }
    return sum
  }
  return Array.from({ length }, (_, at) => values[place(at)])
}

function numbersOf({ data }: Tensor): readonly number[] {
  return Array.from(data as ArrayLike<number>, Number)
}

function found<T>(map: ReadonlyMap<string, T>, name: string): T {
  const value = map.get(name)
  if (value === undefined) throw new Error(`${name} is not in the graph`)
  return value
}
