import { affine } from '../../.build/autodiff/rules/featureMaps.js'
import { elementwise, rule } from '../../.build/autodiff/rule.js'
import { makeNode } from '../../.build/onnx/attributes.js'
import { depthwise, perChannel } from './convolutions.mjs'
import { compareRules } from './rules.mjs'

const STEEP = 1e30
const hardSigmoid = (b, x, alpha, beta) => b.add('HardSigmoid', [x], { alpha: { float: alpha }, beta: { float: beta } })

/** d HardSwish, times the gradient, between two convolutions. */
function hardSwishSlope(channels, h) {
  return compareRules(
    `HardSwish, ${channels} channels, ${h}×${h}`,
    {
      dims: [32, channels, h, h],
      nodes: [
        depthwise('x', 'u', channels, 'eight'),
        makeNode('HardSwish', ['u'], ['s'], {}, 'tested'),
        depthwise('s', 'z', channels, 'one'),
      ],
      constants: { eight: perChannel(channels, 8), one: perChannel(channels, 1) },
    },
    {
      'a scalar among the factors': elementwise((x, _y, b) => {
        const inside = hardSigmoid(b, b.mul(x, x), -STEEP, 9 * STEEP)
        return b.add('Add', [hardSigmoid(b, x, 1 / 6, 0.5), b.mul(b.mul(x, b.number(1 / 6, x)), inside)])
      }),
      '(x + 3/2 − Shrink(x)) / 3': elementwise((x, _y, b) => {
        const beyond = b.add('Shrink', [x], { lambd: { float: 3 }, bias: { float: 1.5 } })
        return affine(b.add('Sub', [x, beyond]), 1 / 3, 0.5, x, b)
      }),
    },
  )
}

/** The gradient of a global average, over the pixels again. */
function overPixels(channels, h) {
  return compareRules(
    `GlobalAveragePool, ${channels} channels, ${h}×${h}`,
    {
      dims: [32, channels, h, h],
      nodes: [depthwise('x', 'u', channels, 'one'), makeNode('GlobalAveragePool', ['u'], ['z'], {}, 'tested')],
      constants: { one: perChannel(channels, 1) },
    },
    {
      'Mul with shares': rule((_node, gradient, b) => [
        b.mul(gradient, b.constant('float32', [1, 1, h, h], new Float32Array(h * h).fill(1 / (h * h)))),
      ]),
      'Mul and Expand': rule((_node, gradient, b) => {
        const shared = b.mul(gradient, b.constant('float32', [], Float32Array.of(1 / (h * h))))
        return [b.add('Expand', [shared, b.ints([1, channels, h, h])])]
      }),
    },
  )
}

export const featureMapWays = async () => [...(await hardSwishSlope(240, 8)), ...(await overPixels(240, 8))]
