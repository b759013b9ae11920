import { makeNode } from '../../../src/onnx/attributes.js'
import { floats, single, tensor, vector } from '../support.js'
import type { Recipe } from '../support.js'

/** A version of an operator that onnxruntime 1.30 has no kernel for on the CPU: nothing could be compared with. */
interface Impossible {
  /** What would be run, and is refused. */
  readonly recipe: Recipe
  /** What the kernel is missing for where the operator is made of others. */
  readonly missing?: string
}

const image = floats(1, 2, 4, 4)
const matrix = floats(2, 3)

/** The versions of operators without a model that could be compared. One that onnxruntime runs fails the test. */
export const IMPOSSIBLE: Readonly<Record<string, Impossible>> = {
  'Bernoulli-22': { recipe: single({ opset: 22, op: 'Bernoulli', x: matrix }), missing: 'RandomUniformLike' },
  'GlobalLpPool-22': { recipe: single({ opset: 22, op: 'GlobalLpPool', x: image }) },
  'ImageDecoder-20': { recipe: single({ opset: 20, op: 'ImageDecoder', x: tensor('uint8', [4], new Uint8Array(4)) }) },
  'MaxRoiPool-22': {
    recipe: single({
      opset: 22,
      op: 'MaxRoiPool',
      x: image,
      more: [tensor('float32', [1, 5], Float32Array.of(0, 0, 0, 3, 3))],
      attributes: { pooled_shape: [2, 2] },
    }),
  },
  'Multinomial-22': { recipe: single({ opset: 22, op: 'Multinomial', x: matrix }) },
  'RandomNormal-22': { recipe: drawn('RandomNormal') },
  'RandomNormalLike-22': { recipe: single({ opset: 22, op: 'RandomNormalLike', x: matrix }) },
  'RandomUniform-22': { recipe: drawn('RandomUniform') },
  'RandomUniformLike-22': { recipe: single({ opset: 22, op: 'RandomUniformLike', x: matrix }) },
  'RoiAlign-22': {
    recipe: single({
      opset: 22,
      op: 'RoiAlign',
      x: image,
      more: [tensor('float32', [1, 4], Float32Array.of(0, 0, 3, 3)), tensor('int64', [1], BigInt64Array.of(0n))],
    }),
  },
}

function drawn(op: string): Recipe {
  return { opset: 22, inputs: { x: vector(1) }, nodes: [makeNode(op, [], ['y'], { shape: [2, 3] })], outputs: ['y'] }
}
