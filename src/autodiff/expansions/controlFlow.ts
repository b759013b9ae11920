import { UsageError } from '../../errors.js'
import { describe, intAttribute, intsAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { bodyOf, inliner } from './body.js'
import { tripsOf, withTrace } from './trips.js'
import { noted } from '../rule.js'
import { checkUnrolling, UNROLLED } from './unrolling.js'

/** Control flow whose way is the same for every image: written out. */
export const controlFlow: Readonly<Record<string, Expansion>> = {
  If: noted('is the branch that is taken: images must not choose it', (node, b) => {
    const [condition] = b.integersOf(node.inputs[0]) ?? []
    if (condition === undefined)
      throw new UsageError(
        `${describe(node)} chooses by a condition that depends on the image or on chance, which has no gradient rule; export the model with the branch that is taken`,
      )
    return inliner(bodyOf(node, condition === 0 ? 'else_branch' : 'then_branch'), b)([])
  }),

  /** Inputs M, condition, carried …; body: i, condition, carried … → condition, carried …, one row of each scan output. */
  Loop: noted(UNROLLED, (node, b) => {
    const body = bodyOf(node, 'body')
    const trips = tripsOf(node, body, b)
    if (trips === 'unseen') return withTrace(node, body, b)
    checkUnrolling(node, trips, body.nodes.length)
    const step = inliner(body, b)
    const always = b.constant('bool', [], Uint8Array.of(1))
    const rows: (readonly string[])[] = []
    let carried = node.inputs.slice(2)
    for (let trip = 0; trip < trips; trip++) {
      const [, ...results] = step([b.constant('int64', [], BigInt64Array.of(BigInt(trip))), always, ...carried])
      rows.push(results.slice(carried.length))
      carried = results.slice(0, carried.length)
    }
    const stacks = node.outputs.slice(carried.length).map((name, place) => {
      if (name === '') return ''
      return stack(
        name,
        rows.map((row) => row[place]),
        0,
        b,
      )
    })
    return [...carried, ...stacks]
  }),

  /** Inputs carried …, scanned …; body: carried …, one row of each → carried …, one row of each scan output. */
  Scan: noted(UNROLLED, (node, b) => {
    const body = bodyOf(node, 'body')
    const count = intAttribute(node, 'num_scan_inputs', 1)
    const initial = node.inputs.slice(0, node.inputs.length - count)
    const scanned = node.inputs.slice(initial.length)
    const outputs = node.outputs.length - initial.length
    const each = (name: string, length: number): readonly number[] =>
      intsAttribute(
        node,
        name,
        Array.from({ length }, () => 0),
      )
    const axes = each('scan_input_axes', count)
    const [steps] = scanned.map((name, place) => scanLength(node, name, axes[place], b))
    checkUnrolling(node, steps, body.nodes.length + 2 * count)
    const inputRows = scanned.map((name, place) =>
      turned(rowsOf(name, axes[place], steps, b), each('scan_input_directions', count)[place]),
    )
    const step = inliner(body, b)
    const rows: (readonly string[])[] = []
    let carried: readonly string[] = initial
    for (let at = 0; at < steps; at++) {
      const results = step([...carried, ...inputRows.map((input) => input[at])])
      rows.push(results.slice(carried.length))
      carried = results.slice(0, carried.length)
    }
    const outputAxes = each('scan_output_axes', outputs)
    const directions = each('scan_output_directions', outputs)
    const stacks = outputAxes.map((axis, place) => {
      const name = node.outputs[initial.length + place]
      if (name === '') return ''
      const column = rows.map((row) => row[place])
      return stack(name, turned(column, directions[place]), axis, b)
    })
    return [...carried, ...stacks]
  }),
}

function turned(rows: readonly string[], direction: number): readonly string[] {
  return direction === 0 ? rows : rows.toReversed()
}

function scanLength(node: Node, name: string, axis: number, b: GradientBuilder): number {
  const { dims, batchAxis } = b.observed(name)
  const place = axis < 0 ? axis + dims.length : axis
  if (place === batchAxis)
    throw new UsageError(
      `${describe(node)} steps from image to image, which has no gradient rule; export the model with a loop over something else`,
    )
  return dims[place]
}

/** The slices of `value` along an axis, without it. */
function rowsOf(value: string, axis: number, count: number, b: GradientBuilder): readonly string[] {
  const slices = count === 1 ? [value] : b.addMany('Split', [value], count, { axis, num_outputs: count })
  return slices.map((slice) => b.add('Squeeze', [slice, b.ints([axis])]))
}

/** The other way round from {@link rowsOf}: rows on a new axis. Without any it is as empty as `output` was. */
function stack(output: string, rows: readonly string[], axis: number, b: GradientBuilder): string {
  if (rows.length === 0) return b.tensor([], b.dims(output), output)
  const apart = rows.map((row) => b.add('Unsqueeze', [row, b.ints([axis])]))
  return apart.length === 1 ? apart[0] : b.add('Concat', apart, { axis })
}
