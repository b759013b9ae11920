import { intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import type { Activation } from './recurrentActivations.js'

/** What a cell carries from step to step: its output h, and an LSTM's memory c. [1, N, H] each. */
export type State = readonly string[]

/** Weights and input of one direction. */
export interface Direction {
  readonly node: Node
  /** [T, N, I] */
  readonly x: string
  readonly hidden: number
  readonly steps: number
  readonly activations: readonly Activation[]
  /** Rows of W as a matrix to multiply with from the right: gates `from` to `to` of it, [I, (to − from)·H]. */
  readonly inputWeights: (from: number, to: number) => string
  /** The same of R, [H, (to − from)·H]. */
  readonly stateWeights: (from: number, to: number) => string
  /** The two biases, [(to − from)·H]; undefined where the node has none. */
  readonly inputBias?: (from: number, to: number) => string
  readonly stateBias?: (from: number, to: number) => string
  /** Peepholes of an LSTM, [H] each, in the order i, o, f; undefined where the node has none. */
  readonly peepholes?: readonly string[]
}

export interface Cell {
  readonly gates: number
  readonly activations: readonly string[]
  /** Prepares what no state takes part in, for all steps at once, and returns what one step does. */
  readonly prepare: (direction: Direction, b: GradientBuilder) => (state: State, step: number) => State
}

/** `value` in equal parts. */
function parts(value: string, count: number, axis: number, b: GradientBuilder): readonly string[] {
  return count === 1 ? [value] : b.addMany('Split', [value], count, { axis, num_outputs: count })
}

/** X·Wᵀ and every bias that is added to it, one [1, N, (to − from)·H] per step. */
function project(
  { x, steps, inputWeights, inputBias, stateBias }: Direction,
  [from, to]: readonly [number, number],
  b: GradientBuilder,
  withStateBias = true,
): readonly string[] {
  const product = b.add('MatMul', [x, inputWeights(from, to)])
  const biases = [inputBias?.(from, to), withStateBias ? stateBias?.(from, to) : undefined].filter(
    (bias) => bias !== undefined,
  )
  const bias = biases.length === 2 ? b.add('Add', biases) : biases[0]
  return parts(bias === undefined ? product : b.add('Add', [product, bias]), steps, 0, b)
}

/** The formulas are the standard's (operators RNN, GRU, LSTM), with their names. */
export const CELLS: Readonly<Record<'RNN' | 'GRU' | 'LSTM', Cell>> = {
  RNN: {
    gates: 1,
    activations: ['Tanh'],
    prepare: (direction, b) => {
      const [f] = direction.activations
      const inputs = project(direction, [0, 1], b)
      const weights = direction.stateWeights(0, 1)
      return ([h], step) => [f(b.add('Add', [inputs[step], b.add('MatMul', [h, weights])]))]
    },
  },

  /** Gates in the order z, r, h. */
  GRU: {
    gates: 3,
    activations: ['Sigmoid', 'Tanh'],
    prepare: (direction, b) => {
      const [f, g] = direction.activations
      const resetsProduct = intAttribute(direction.node, 'linear_before_reset', 0) !== 0
      const gateInputs = project(direction, [0, 2], b)
      const candidateInputs = project(direction, [2, 3], b, !resetsProduct)
      const gateWeights = direction.stateWeights(0, 2)
      const candidateWeights = direction.stateWeights(2, 3)
      const bias = resetsProduct ? direction.stateBias?.(2, 3) : undefined
      const candidate = (h: string, r: string): string => {
        if (!resetsProduct) return b.add('MatMul', [b.mul(r, h), candidateWeights])
        const product = b.add('MatMul', [h, candidateWeights])
        return b.mul(r, bias === undefined ? product : b.add('Add', [product, bias]))
      }
      return ([h], step) => {
        const [z, r] = parts(f(b.add('Add', [gateInputs[step], b.add('MatMul', [h, gateWeights])])), 2, 2, b)
        const proposed = g(b.add('Add', [candidateInputs[step], candidate(h, r)]))
        // (1 − z) ⊙ proposed + z ⊙ h
        return [b.add('Add', [proposed, b.mul(z, b.add('Sub', [h, proposed]))])]
      }
    },
  },

  /** Gates in the order i, o, f, c. */
  LSTM: {
    gates: 4,
    activations: ['Sigmoid', 'Tanh', 'Tanh'],
    prepare: (direction, b) => {
      const [f, g, h] = direction.activations
      const inputs = project(direction, [0, 4], b)
      const weights = direction.stateWeights(0, 4)
      const coupled = intAttribute(direction.node, 'input_forget', 0) !== 0
      const seen = (gate: string, place: number, memory: string): string =>
        direction.peepholes ? b.add('Add', [gate, b.mul(memory, direction.peepholes[place])]) : gate
      return ([output, memory], step) => {
        const sum = b.add('Add', [inputs[step], b.add('MatMul', [output, weights])])
        const [toInput, toOutput, toForget, toMemory] = parts(sum, 4, 2, b)
        const input = f(seen(toInput, 0, memory))
        const forget = coupled ? b.add('Sub', [b.number(1, direction.x), input]) : f(seen(toForget, 2, memory))
        const next = b.add('Add', [b.mul(forget, memory), b.mul(input, g(toMemory))])
        return [b.mul(f(seen(toOutput, 1, next)), h(next)), next]
      }
    },
  },
}
