import { floatAttribute } from '../../onnx/attributes.js'
import { expansion } from '../expansion.js'
import type { Expansion } from '../expansion.js'

/** x times a gate that depends on x. Written out, the gradient reads the gate instead of computing it again. */
export const gates: Readonly<Record<string, Expansion>> = {
  // x·tanh(ln(1 + eˣ)) (Misra 2019)
  Mish: expansion(({ inputs: [x] }, b) => b.mul(x, b.add('Tanh', [b.add('Softplus', [x])]))),

  // x·σ(αx) (Ramachandran 2017)
  Swish: expansion((node, b) => {
    const [x] = node.inputs
    const alpha = floatAttribute(node, 'alpha', 1)
    return b.mul(x, b.add('Sigmoid', [alpha === 1 ? x : b.mul(x, b.number(alpha, x))]))
  }),
}
