import { attribute, floatAttribute, intAttribute, intsAttribute, makeNode } from '../attributes.js'
import type { Node } from '../graph.js'
import { int64Tensor } from '../tensor.js'
import type { Context, Upgrade, Upgrades } from './context.js'
import { intsToInput, toInput, without, withAttribute } from './edit.js'
import { floatScalar } from './elementwise.js'

function padsToInputs(node: Node, context: Context): Node {
  const value = floatAttribute(node, 'value', 0)
  const padded = without(intsToInput(node, 'pads', 1, context), 'value')
  // Zero is the default, whatever the type.
  if (value === 0) return padded
  return toInput(padded, 'value', 2, floatScalar(context.floatTypeOf(node.inputs[0]), value), context)
}

function sliceToInputs(node: Node, context: Context): Node {
  const starts = intsAttribute(node, 'starts', [])
  const axes = intsAttribute(node, 'axes', [...starts.keys()])
  const bounds = intsToInput(intsToInput(node, 'starts', 1, context), 'ends', 2, context)
  return toInput(bounds, 'axes', 3, int64Tensor(axes), context)
}

/** Since opset 18 a split into equal parts says how many. */
function countParts(node: Node): Node {
  const counted = (node.inputs[1] ?? '') !== '' || intAttribute(node, 'num_outputs') !== undefined
  return counted ? node : withAttribute(node, 'num_outputs', node.outputs.length)
}

/** The operator that a Scan of opset 8 is to everyone else where no Scan after it does the same. */
export const SCAN_OF_BATCHES = 'Scan-8'

/**
 * Scan-8 had the batch in front of everything, each image a scan of its own; Scan-9 has no batch. An export of one image is
 * the same without it; where the batch is free, images are taken one at a time. Fixed batches of more, and sequences that
 * end early, are left as they are, under a name without a rule: attacks without gradients ask the original alone.
 */
function dropBatchOfScan(node: Node, context: Context): Node | readonly Node[] {
  const [lengths = '', ...inputs] = node.inputs
  if (lengths !== '' || (context.declaredBatch ?? 1) > 1) return { ...node, op: SCAN_OF_BATCHES }
  const alone = (name: string): string => (name === '' ? '' : context.fresh(`${name}/alone`))
  const [from, to] = [inputs.map(alone), node.outputs.map(alone)]
  const directions = intsAttribute(node, 'directions')
  const plain = without(node, 'directions')
  const directed = directions
    ? new Map(plain.attributes).set('scan_input_directions', attribute.ints('scan_input_directions', directions))
    : plain.attributes
  return [
    ...inputs.map((name, at) => makeNode('Squeeze', [name], [from[at]], { axes: [0] })),
    { ...plain, attributes: directed, inputs: from, outputs: to },
    ...node.outputs.flatMap((name, at) =>
      name === '' ? [] : [makeNode('Unsqueeze', [to[at]], [name], { axes: [0] })],
    ),
  ]
}

const AXES_TO_INPUT_13: readonly Upgrade[] = [
  { since: 13, upgrade: (node, context) => intsToInput(node, 'axes', 1, context) },
]

/** Operators that move elements and compute nothing. */
export const SHAPES: Upgrades = {
  Pad: [{ since: 11, upgrade: padsToInputs }],
  Slice: [{ since: 10, upgrade: sliceToInputs }],
  Split: [
    { since: 13, upgrade: (node, context) => intsToInput(node, 'split', 1, context) },
    { since: 18, upgrade: countParts },
  ],
  Squeeze: AXES_TO_INPUT_13,
  Unsqueeze: AXES_TO_INPUT_13,
  Scatter: [{ since: 11, upgrade: (node) => ({ ...node, op: 'ScatterElements' }) }],
  Scan: [{ since: 9, upgrade: dropBatchOfScan }],
}
