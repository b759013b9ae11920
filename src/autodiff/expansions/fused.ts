import { UsageError } from '../../errors.js'
import { floatAttribute, floatsAttribute, intAttribute, stringAttribute } from '../../onnx/attributes.js'
import type { AttributeValues } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { subgradient } from '../rule.js'
import { withAttributesOf } from './wholeNumbers.js'

const matMul = expansion((node, b) => {
  const [left, right] = node.inputs
  const product = b.add('MatMul', [turned(left, node, 'A', b), turned(right, node, 'B', b)])
  const alpha = floatAttribute(node, 'alpha', 1)
  return alpha === 1 ? product : b.mul(product, b.number(alpha, left))
})

const AS_THE_ACTIVATION = 'at kinks as the activation alone'

/** What onnxruntime's optimiser writes for an operator and the activation, bias or transposition next to it. */
export const fused: Readonly<Record<string, Expansion>> = {
  'com.microsoft.FusedConv': subgradient(
    AS_THE_ACTIVATION,
    expansion((node, b) => {
      const [x, weights, bias = '', residual] = node.inputs
      const conv = withAttributesOf(node, 'Conv', [x, weights, bias], b, ['activation', 'activation_params'])
      const sum = residual ? b.add('Add', [conv, residual]) : conv
      return activated(node, sum, floatsAttribute(node, 'activation_params', []), b)
    }),
  ),

  'com.microsoft.FusedGemm': subgradient(
    AS_THE_ACTIVATION,
    expansion((node, b) => {
      const parameters = ['activation_alpha', 'activation_beta', 'activation_gamma']
      const gemm = withAttributesOf(node, 'Gemm', node.inputs, b, ['activation', ...parameters])
      const given = parameters.map((name) => floatAttribute(node, name)).filter((value) => value !== undefined)
      return activated(node, gemm, given, b)
    }),
  ),

  'com.microsoft.FusedMatMul': matMul,
  'com.microsoft.TransposeMatMul': matMul,

  'com.microsoft.Gelu': expansion((node, b) => b.add('Gelu', node.inputs)),
  'com.microsoft.BiasGelu': expansion((node, b) => b.add('Gelu', [b.add('Add', node.inputs)])),
  'com.microsoft.FastGelu': expansion((node, b) => {
    const [x, bias] = node.inputs
    return b.add('Gelu', [bias ? b.add('Add', [x, bias]) : x], { approximate: 'tanh' })
  }),
  'com.microsoft.QuickGelu': expansion((node, b) => {
    const [x] = node.inputs
    return b.mul(x, b.add('Sigmoid', [b.mul(x, b.number(floatAttribute(node, 'alpha', 1.702), x))]))
  }),
}

/** An operand of FusedMatMul: first its first axis moves behind the batch, then its last two are swapped. */
function turned(value: string, node: Node, side: 'A' | 'B', b: GradientBuilder): string {
  const rank = b.rank(value)
  const perm = Array.from({ length: rank }, (_, axis) => axis)
  if (rank < 2) return value
  if (intAttribute(node, `transBatch${side}`, 0) === 1) perm.splice(rank - 2, 0, ...perm.splice(0, 1))
  if (intAttribute(node, `trans${side}`, 0) === 1) perm.push(...perm.splice(rank - 2, 1))
  return perm.every((axis, at) => axis === at) ? value : b.add('Transpose', [value], { perm })
}

/** The activation by the name and with the parameters that onnxruntime gives it. */
function activated(node: Node, x: string, [first, second]: readonly number[], b: GradientBuilder): string {
  const activation = stringAttribute(node, 'activation', '')
  const float = (value: number | undefined) => (value === undefined ? undefined : { float: value })
  const attributes: Readonly<Record<string, AttributeValues>> = {
    Relu: {},
    Tanh: {},
    Sigmoid: {},
    HardSwish: {},
    LeakyRelu: { alpha: float(first) },
    HardSigmoid: { alpha: float(first), beta: float(second) },
  }
  if (activation === '') return x
  if (activation === 'Clip')
    return b.add('Clip', [x, b.number(first, node.inputs[0]), b.number(second, node.inputs[0])])
  if (!Object.hasOwn(attributes, activation))
    throw new UsageError(
      `${node.op} (node "${node.name}") with the activation "${activation}" has no gradient rule; use the model as it was before onnxruntime optimised it`,
    )
  return b.add(activation, [x], attributes[activation])
}
