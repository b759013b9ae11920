import { floatAttribute, intAttribute, intsAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { subgradient } from '../rule.js'

export const normalizations: Readonly<Record<string, Expansion>> = {
  GroupNormalization: expansion((node, b) => inGroups(node, intAttribute(node, 'num_groups', 1), b)),
  InstanceNormalization: expansion((node, b) => inGroups(node, b.dims(node.inputs[0])[1], b)),

  MeanVarianceNormalization: subgradient(
    'the deviation counts as constant where it is 0',
    expansion((node, b) => {
      const [x] = node.inputs
      const axes = b.ints(intsAttribute(node, 'axes', [0, 2, 3]))
      const mean = (value: string): string => b.add('ReduceMean', [value, axes], { keepdims: 1 })
      const centred = b.add('Sub', [x, mean(x)])
      // Far below what float32 tells from 0 next to 1e−9, and the root's slope stays a number.
      const variance = b.add('Clip', [mean(b.mul(centred, centred)), b.number(1e-30, x)])
      return b.add('Div', [centred, b.add('Add', [b.add('Sqrt', [variance]), b.number(1e-9, x)])])
    }),
  ),

  'com.microsoft.SkipLayerNormalization': (node, b) => {
    const [x, skip, gamma, beta = '', bias] = node.inputs
    const sum = summed([x, skip, bias], b)
    const [y, mean, inverse] = b.addMany('LayerNormalization', [sum, gamma, beta], 3, {
      epsilon: { float: floatAttribute(node, 'epsilon', 1e-12) },
    })
    return [y, mean, inverse, sum]
  },

  'com.microsoft.SkipSimplifiedLayerNormalization': (node, b) => {
    const [x, skip, gamma, bias] = node.inputs
    const sum = summed([x, skip, bias], b)
    const [y, inverse] = b.addMany('SimplifiedLayerNormalization', [sum, gamma], 2, {
      epsilon: { float: floatAttribute(node, 'epsilon', 1e-12) },
    })
    return [y, '', inverse, sum]
  },
}

/** Groups of channels become an axis of their own, [N, C, …] → [N, G, C/G, area]: then it is a LayerNormalization. */
function inGroups(node: Node, groups: number, b: GradientBuilder): string {
  const [x, scale, bias] = node.inputs
  const { dims, batchAxis } = b.observed(x)
  const [images, channels, ...spatial] = dims
  const area = spatial.reduce((total, size) => total * size, 1)
  const perGroup = channels / groups
  const grouped = b.reshape(x, [batchAxis === 0 ? -1 : images, groups, perGroup, area])
  const perChannel = (value: string): string => b.reshape(value, [groups, perGroup, 1])
  const epsilon = floatAttribute(node, 'epsilon', 1e-5)
  const normal = b.add('LayerNormalization', [grouped, perChannel(scale), perChannel(bias)], {
    axis: 2,
    epsilon: { float: epsilon },
  })
  return b.reshapeLike(normal, x)
}

/** x + skip, and the bias where there is one; the skip may be broadcast. */
function summed(values: readonly (string | undefined)[], b: GradientBuilder): string {
  const given = values.filter((value): value is string => value !== undefined && value !== '')
  return given.reduce((total, value) => b.add('Add', [total, value]))
}
