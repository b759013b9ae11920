import { floatsAttribute, makeNode, stringAttribute } from '../attributes.js'
import type { Node, Tensor } from '../graph.js'
import type { Context, Upgrades } from './context.js'
import { toInput, withAttribute } from './edit.js'

/** Upsample-9 took its scales as an input. */
function scalesToInput(node: Node, context: Context): Node {
  const scales = floatsAttribute(node, 'scales', [])
  return toInput(node, 'scales', 1, floats(scales), context)
}

/**
 * Resize-11 says how coordinates map, and Resize-10 left it open. onnxruntime's 10 takes output / scale as the place in the
 * input, and as the nearest pixel the one before it when enlarging, the one after it when shrinking.
 */
function sayCoordinates(node: Node, context: Context): Node | readonly Node[] {
  const [input, scales] = node.inputs
  const placed = withAttribute({ ...node, inputs: [input, '', scales] }, 'coordinate_transformation_mode', 'asymmetric')
  if (stringAttribute(node, 'mode', 'nearest') !== 'nearest') return placed
  const enlarging = withAttribute(placed, 'nearest_mode', 'floor')
  const factors = context.valueOf(scales)
  if (factors === undefined || !(factors.data instanceof Float32Array)) return enlarging
  const { data } = factors
  if (data.every((factor) => factor >= 1)) return enlarging
  const shrinking = withAttribute(placed, 'nearest_mode', 'ceil')
  if (data.every((factor) => factor <= 1)) return shrinking
  // Nearest neighbours of one axis do not depend on the others: enlarge some, then shrink the rest.
  const [output] = node.outputs
  const larger = context.fresh(`${output}/enlarged`)
  const up = context.constant(`${output}/scales_up`, floats(Array.from(data, (factor) => Math.max(factor, 1))))
  const down = context.constant(`${output}/scales_down`, floats(Array.from(data, (factor) => Math.min(factor, 1))))
  return [
    { ...enlarging, name: larger, inputs: [input, '', up], outputs: [larger] },
    { ...shrinking, inputs: [larger, '', down], outputs: [output] },
  ]
}

/** Since opset 13 what is not used is left out; before, it was an empty tensor. */
function leaveOutEmpty(node: Node, context: Context): Node {
  const inputs = node.inputs.map((name) => (context.valueOf(name)?.data.length === 0 ? '' : name))
  const used = inputs.findLastIndex((name) => name !== '') + 1
  return { ...node, inputs: inputs.slice(0, used) }
}

const GRID_SAMPLE_MODES: Readonly<Record<string, string>> = { bilinear: 'linear', bicubic: 'cubic' }

function renameGridMode(node: Node): Node {
  const mode = stringAttribute(node, 'mode', 'bilinear')
  return withAttribute(node, 'mode', GRID_SAMPLE_MODES[mode] ?? mode)
}

function floats(values: readonly number[]): Tensor {
  return { type: 'float32', dims: [values.length], data: Float32Array.from(values) }
}

export const RESAMPLING: Upgrades = {
  Upsample: [
    { since: 9, upgrade: scalesToInput },
    {
      since: 10,
      upgrade: (node) => ({
        ...makeNode('Resize', node.inputs, node.outputs, {}, node.name),
        attributes: node.attributes,
      }),
    },
  ],
  Resize: [
    { since: 11, upgrade: sayCoordinates },
    { since: 13, upgrade: leaveOutEmpty },
  ],
  GridSample: [{ since: 20, upgrade: renameGridMode }],
}
