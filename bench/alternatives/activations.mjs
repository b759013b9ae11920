import { imageByImage } from '../../.build/autodiff/rules/imageByImage.js'
import { elementwise, rule } from '../../.build/autodiff/rule.js'
import { makeNode } from '../../.build/onnx/attributes.js'
import { compareRules } from './rules.mjs'

const reluMask = () =>
  compareRules(
    'ReLU, [64, 16, 14, 14]',
    { dims: [64, 16, 14, 14], nodes: [makeNode('Relu', ['x'], ['z'], {}, 'tested')] },
    {
      Sign: elementwise((_x, y, b) => b.add('Sign', [y])),
      Where: rule((node, gradient, b) => [
        b.where(b.add('Cast', [node.outputs[0]], { to: 9 }), gradient, node.outputs[0]),
      ]),
    },
  )

/** Φ(x) + x·φ(x), image by image as the rule. */
function geluSlope() {
  const inImages = (slope) =>
    rule((node, gradient, b) => {
      const constant = (value) => b.number(value, node.inputs[0])
      return [imageByImage([gradient, node.inputs[0]], node.inputs[0], b, ([g, x]) => slope(g, x, constant, b))]
    })
  const density = (scaled, factor, constant, b) =>
    b.mul(b.add('Exp', [b.add('Neg', [b.mul(scaled, scaled)])]), constant(factor))
  return compareRules(
    'Gelu, [16, 64, 768]',
    { dims: [16, 64, 768], nodes: [makeNode('Gelu', ['x'], ['z'], {}, 'tested')] },
    {
      'the formula': inImages((g, x, constant, b) => {
        const scaled = b.mul(x, constant(Math.SQRT1_2))
        const cumulative = b.mul(b.add('Add', [b.add('Erf', [scaled]), constant(1)]), constant(0.5))
        const along = b.mul(scaled, density(scaled, 1 / Math.sqrt(Math.PI), constant, b))
        return b.mul(g, b.add('Add', [cumulative, along]))
      }),
      'node by node, as exporters write it': inImages((g, x, constant, b) => {
        const scaled = b.mul(x, constant(Math.SQRT1_2))
        const half = b.mul(g, constant(0.5))
        const left = b.mul(half, b.add('Add', [b.add('Erf', [scaled]), constant(1)]))
        const right = b.mul(b.mul(half, x), density(scaled, 2 / Math.sqrt(Math.PI), constant, b))
        return b.add('Add', [left, b.mul(right, constant(Math.SQRT1_2))])
      }),
    },
  )
}

export const activationWays = async () => [...(await reluMask()), ...(await geluSlope())]
