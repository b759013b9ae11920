import type { Rule } from '../rule.js'
import { activation } from './activation.js'
import { arithmetic } from './arithmetic.js'
import { convolution } from './convolution.js'
import { indexing } from './indexing.js'
import { layerNormalization } from './layerNormalization.js'
import { lengthNormalization } from './lengthNormalization.js'
import { linearAlgebra } from './linearAlgebra.js'
import { normalization } from './normalization.js'
import { pooling } from './pooling.js'
import { blocks } from './blocks.js'
import { reductions } from './reduction.js'
import { scatter } from './scatter.js'
import { shape } from './shape.js'
import { transposedConvolution } from './transposedConvolution.js'
import { resize } from './resize.js'

/** The whole of differentiation: operator (ai.onnx, canonical opset) → its vector-Jacobian product. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...resize,
    ...activation,
    ...blocks,
    ...arithmetic,
    ...convolution,
    ...indexing,
    ...layerNormalization,
    ...lengthNormalization,
    ...linearAlgebra,
    ...normalization,
    ...pooling,
    ...reductions,
    ...scatter,
    ...shape,
    ...transposedConvolution,
  }),
)

/** Operators whose output is whole numbers or truth values: nothing flows back through them, and nothing is missed. */
export const WITHOUT_GRADIENT: ReadonlySet<string> = new Set([
  'ArgMax',
  'ArgMin',
  'And',
  'Constant',
  'ConstantOfShape',
  'Equal',
  'EyeLike',
  'Greater',
  'GreaterOrEqual',
  'IsInf',
  'IsNaN',
  'Less',
  'LessOrEqual',
  'NonMaxSuppression',
  'NonZero',
  'Not',
  'Or',
  'Range',
  'Shape',
  'Size',
  'Xor',
])
