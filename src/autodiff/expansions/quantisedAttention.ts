import type { Expansion } from '../expansion.js'
import { fusedAttention } from './fusedAttention.js'
import { dequantised } from './wholeNumbers.js'

/** What onnxruntime's quantiser makes of its own Attention: the products that project are of whole numbers, the rest is not. */
export const quantisedAttention: Readonly<Record<string, Expansion>> = {
  'com.microsoft.QAttention': (node, b) => {
    const [x, weights, bias, scale, weightScale, mask = '', zeroPoint, weightZero, past = ''] = node.inputs
    const real = dequantised({ value: x, scale, zeroPoint }, b)
    const matrix = dequantised({ value: weights, scale: weightScale, zeroPoint: weightZero }, b)
    b.replace(x, real)
    b.replace(weights, matrix)
    return fusedAttention['com.microsoft.Attention']({ ...node, inputs: [real, matrix, bias, mask, past] }, b)
  },
}
