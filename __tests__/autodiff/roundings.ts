import type { Graph } from '../../src/onnx/graph.js'
import { reads } from '../../src/onnx/subgraphs.js'

/** Half a unit in the last place of float32: how much one rounding is off, of the number that is rounded. */
export const ROUNDING = 2 ** -24

const MOVES = [
  'Identity',
  'Reshape',
  'Transpose',
  'Squeeze',
  'Unsqueeze',
  'Concat',
  'Split',
  'Slice',
  'Gather',
  'Expand',
]
const COMPARES = ['Relu', 'Clip', 'Neg', 'Abs', 'Sign', 'Max', 'Min', 'Where', 'Greater', 'GreaterOrEqual', 'Less']
const LOGIC = ['LessOrEqual', 'Equal', 'And', 'Or', 'Not', 'Shape', 'Cast', 'CastLike']
const EXACT: ReadonlySet<string> = new Set([...MOVES, ...COMPARES, ...LOGIC])
const ONCE: ReadonlySet<string> = new Set(['Add', 'Sub', 'Mul', 'Div', 'Sqrt', 'Reciprocal', 'LeakyRelu', 'PRelu'])
/** A product and a sum; a Conv here has one number for each channel. */
const TWICE: ReadonlySet<string> = new Set(['HardSigmoid', 'Conv'])

function ownRoundings(op: string): number {
  if (EXACT.has(op)) return 0
  return ONCE.has(op) ? 1 : TWICE.has(op) ? 2 : 4
}

/**
 * How often numbers are rounded on the longest way to a value of a graph of operators that work element by element. +, −, ·, ÷
 * and √ round once (IEEE 754); moving, comparing and choosing never; functions are polynomials two units in the last place
 * off at most, which is four roundings.
 */
export function roundings(graph: Graph, value: string): number {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)))
  const known = new Map<string, number>()
  const until = (name: string): number => {
    const maker = makers.get(name)
    if (maker === undefined) return 0
    const before = known.get(name)
    if (before !== undefined) return before
    const count = ownRoundings(maker.op) + Math.max(0, ...reads(maker).map(until))
    known.set(name, count)
    return count
  }
  return until(value)
}
