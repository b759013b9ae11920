import { UsageError } from '../../errors.js'
import { describe, intAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { CELLS } from './cells.js'
import type { Cell, Direction, State } from './cells.js'
import { noted } from '../rule.js'
import { activationsOf } from './recurrentActivations.js'
import { checkUnrolling, UNROLLED } from './unrolling.js'

/** A step of the longest cell, an LSTM with peepholes and clipping: it is only compared with a limit. */
const NODES_PER_STEP = 24

/** Recurrent operators, step by step. Weights are cut and turned by nodes that fold to constants. */
export const recurrent: Readonly<Record<string, Expansion>> = {
  GRU: noted(UNROLLED, unrolled(CELLS.GRU)),
  LSTM: noted(UNROLLED, unrolled(CELLS.LSTM)),
  RNN: noted(UNROLLED, unrolled(CELLS.RNN)),
}

interface Run {
  /** One per step, [1, N, H]. */
  readonly outputs: readonly string[]
  readonly last: State
}

/** A recurrent operator of the standard, its steps written out. */
export function unrolled(cell: Cell): Expansion {
  return (node, b) => {
    // onnxruntime runs no other on the CPU, so that no such model gets here.
    if (intAttribute(node, 'layout', 0) !== 0)
      throw new UsageError(`${describe(node)} has layout 1, which has no gradient rule; export it with layout 0`)
    const steps = b.dims(node.inputs[0])[0]
    const backwards = DIRECTIONS[stringAttribute(node, 'direction', 'forward')]
    checkUnrolling(node, steps, NODES_PER_STEP * backwards.length)
    const activations = activationsOf(node, backwards.length, cell.activations, b)
    const runs = backwards.map((backward, place) =>
      runDirection(
        cell,
        directionOf(node, place, steps, activations[place], b),
        backward,
        initialState(node, place, b),
        b,
      ),
    )
    const together = (values: readonly string[], axis: number): string =>
      values.length === 1 ? values[0] : b.add('Concat', values, { axis })
    const sequence = ({ outputs }: Run): string => b.add('Unsqueeze', [together(outputs, 0), b.ints([1])])
    const made = [
      () => together(runs.map(sequence), 1),
      ...runs[0].last.map(
        (_, at) => () =>
          together(
            runs.map(({ last }) => last[at]),
            0,
          ),
      ),
    ]
    return node.outputs.map((name, place) => (name === '' ? '' : made[place]()))
  }
}

const DIRECTIONS: Readonly<Record<string, readonly boolean[]>> = {
  forward: [false],
  reverse: [true],
  bidirectional: [false, true],
}

function directionOf(
  node: Node,
  place: number,
  steps: number,
  activations: Direction['activations'],
  b: GradientBuilder,
): Direction {
  const [x, w, r, bias, , , , peepholes] = node.inputs
  const hidden = b.dims(r)[2]
  const gates = b.dims(r)[1] / hidden
  const own = (value: string): string =>
    b.add('Gather', [value, b.constant('int64', [], BigInt64Array.of(BigInt(place)))])
  const cut = (value: string, from: number, to: number): string =>
    b.add('Slice', [value, b.ints([from * hidden]), b.ints([to * hidden]), b.ints([0])])
  const turned = (weights: string) => (from: number, to: number) =>
    b.add('Transpose', [cut(own(weights), from, to)], { perm: [1, 0] })
  return {
    node,
    x,
    hidden,
    steps,
    activations,
    inputWeights: turned(w),
    stateWeights: turned(r),
    ...(bias && {
      inputBias: (from, to) => cut(own(bias), from, to),
      stateBias: (from, to) => cut(own(bias), gates + from, gates + to),
    }),
    ...(peepholes && { peepholes: [0, 1, 2].map((gate) => cut(own(peepholes), gate, gate + 1)) }),
  }
}

/** h, and c of an LSTM: one row of zeros does for every image. */
function initialState(node: Node, place: number, b: GradientBuilder): State {
  const [x, , r, , , h, c] = node.inputs
  const hidden = b.dims(r)[2]
  const own = (value: string | undefined): string =>
    value
      ? b.add('Slice', [value, b.ints([place]), b.ints([place + 1]), b.ints([0])])
      : b.tensor(new Float64Array(hidden), [1, 1, hidden], x)
  return node.op === 'LSTM' ? [own(h), own(c)] : [own(h)]
}

function runDirection(cell: Cell, direction: Direction, backward: boolean, initial: State, b: GradientBuilder): Run {
  const step = cell.prepare(direction, b)
  const mask = maskOf(direction, b)
  const order = Array.from({ length: direction.steps }, (_, at) => (backward ? direction.steps - 1 - at : at))
  const outputs: string[] = []
  let state = initial
  for (const at of order) {
    const next = step(state, at)
    const running = mask?.(at)
    outputs[at] = running === undefined ? next[0] : b.where(running, next[0], direction.x)
    state = running === undefined ? next : next.map((value, place) => b.add('Where', [running, value, state[place]]))
  }
  return { outputs, last: state }
}

/**
 * Which images still run at a step, [1, N, 1], where `sequence_lens` says that some stop before the last: those keep their
 * state and give zeros. In the other direction they have not begun, which comes to the same.
 */
function maskOf({ node, steps }: Direction, b: GradientBuilder): ((step: number) => string) | undefined {
  const lengths = node.inputs[4]
  if (!lengths || b.integersOf(lengths)?.every((length) => length === steps)) return undefined
  const column = b.reshape(lengths, [1, -1, 1])
  return (step) => b.add('Greater', [column, b.constant('int32', [], Int32Array.of(step))])
}
