import { attribute, floatAttribute, intAttribute, makeNode } from '../attributes.js'
import type { Node } from '../graph.js'
import { int64Tensor } from '../tensor.js'
import type { Context, Upgrades } from './context.js'
import { without } from './edit.js'
import { floatScalar } from './elementwise.js'

/**
 * BatchNormalization-7 with `spatial` 0 keeps statistics per activation, [C, H, W] instead of [C]; the operator lost that in
 * opset 9. Written out: scale · (x − mean) / √(variance + ε) + bias.
 */
function dropSpatial(node: Node, context: Context): Node | readonly Node[] {
  if (intAttribute(node, 'spatial', 1) === 1) return without(node, 'spatial')
  const [x, scale, bias, mean, variance] = node.inputs
  const [output] = node.outputs
  const value = (stem: string): string => context.fresh(`${output}/${stem}`)
  const type = context.floatTypeOf(scale)
  const epsilon = context.constant(`${output}/epsilon`, floatScalar(type, floatAttribute(node, 'epsilon', 1e-5)))
  const [centred, shifted, deviation, standard, scaled] = ['centred', 'shifted', 'deviation', 'standard', 'scaled'].map(
    value,
  )
  return [
    makeNode('Sub', [x, mean], [centred]),
    makeNode('Add', [variance, epsilon], [shifted]),
    makeNode('Sqrt', [shifted], [deviation]),
    makeNode('Div', [centred, deviation], [standard]),
    makeNode('Mul', [standard, scale], [scaled]),
    makeNode('Add', [scaled, bias], [output]),
  ]
}

/**
 * Before opset 14 onnxruntime takes a node with five outputs for one that trains: it uses the statistics of the batch. Since
 * then an attribute says so, there are three outputs, and none of them may be left out.
 */
function sayWhetherItTrains(node: Node, context: Context): Node {
  const [y, ...statistics] = node.outputs
  if (statistics.length === 0) return node
  const [mean = '', variance = ''] = statistics
  const outputs = [y, mean || context.fresh(`${y}/mean`), variance || context.fresh(`${y}/variance`)]
  return {
    ...node,
    outputs,
    attributes: new Map([...node.attributes, ['training_mode', attribute.int('training_mode', 1)]]),
  }
}

/**
 * GroupNormalization-18 had one scale and bias per group, 21 has one per channel: each is repeated for the channels of
 * its group, [G] → [G, C/G] → [C].
 */
function repeatPerChannel(node: Node, context: Context): readonly Node[] {
  const [x, scale, bias] = node.inputs
  const [output] = node.outputs
  const groups = intAttribute(node, 'num_groups', 1)
  const value = (stem: string): string => context.fresh(`${output}/${stem}`)
  const constant = (stem: string, values: readonly number[]): string =>
    context.constant(`${output}/${stem}`, int64Tensor(values))
  const groupCount = constant('groups', [groups])
  const column = constant('column', [1])
  const flat = constant('flat', [-1])
  const [channels, perGroup, shape] = ['channels', 'per_group', 'shape'].map(value)
  const repeat = (name: string, stem: string): readonly [string, readonly Node[]] => {
    const [unsqueezed, expanded, repeated] = ['column', 'expanded', 'repeated'].map((step) => value(`${stem}_${step}`))
    return [
      repeated,
      [
        makeNode('Unsqueeze', [name, column], [unsqueezed]),
        makeNode('Expand', [unsqueezed, shape], [expanded]),
        makeNode('Reshape', [expanded, flat], [repeated]),
      ],
    ]
  }
  const [scales, scaleNodes] = repeat(scale, 'scale')
  const [biases, biasNodes] = repeat(bias, 'bias')
  return [
    makeNode('Shape', [x], [channels], { start: 1, end: 2 }),
    makeNode('Div', [channels, groupCount], [perGroup]),
    makeNode('Concat', [groupCount, perGroup], [shape], { axis: 0 }),
    ...scaleNodes,
    ...biasNodes,
    { ...node, inputs: [x, scales, biases] },
  ]
}

export const NORMALIZATION: Upgrades = {
  BatchNormalization: [
    { since: 9, upgrade: dropSpatial },
    { since: 14, upgrade: sayWhetherItTrains },
  ],
  GroupNormalization: [{ since: 21, upgrade: repeatPerChannel }],
}
