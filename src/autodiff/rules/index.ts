import type { Rule } from '../rule.js'
import { activation } from './activation.js'
import { affineGrid } from './affineGrid.js'
import { arithmetic } from './arithmetic.js'
import { blocks } from './blocks.js'
import { convolution } from './convolution.js'
import { determinant } from './determinant.js'
import { einsum } from './einsum.js'
import { elementary } from './elementary.js'
import { gelu } from './gelu.js'
import { gridSample } from './gridSample.js'
import { indexing } from './indexing.js'
import { layerNormalization } from './layerNormalization.js'
import { lengthNormalization } from './lengthNormalization.js'
import { linearAlgebra } from './linearAlgebra.js'
import { normalization } from './normalization.js'
import { passing } from './passing.js'
import { pNormPooling } from './pNormPooling.js'
import { pooling } from './pooling.js'
import { rectifiers } from './rectifiers.js'
import { reductions } from './reduction.js'
import { resize } from './resize.js'
import { rounding } from './rounding.js'
import { scan } from './scan.js'
import { scatter } from './scatter.js'
import { sequences } from './sequences.js'
import { shape } from './shape.js'
import { transposedConvolution } from './transposedConvolution.js'
import { unpooling } from './unpooling.js'
import { variadic } from './variadic.js'

/** The whole of differentiation: operator (ai.onnx, canonical opset) → its vector-Jacobian product. */
export const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...activation,
    ...affineGrid,
    ...arithmetic,
    ...blocks,
    ...convolution,
    ...determinant,
    ...einsum,
    ...elementary,
    ...gelu,
    ...gridSample,
    ...indexing,
    ...layerNormalization,
    ...lengthNormalization,
    ...linearAlgebra,
    ...normalization,
    ...passing,
    ...pNormPooling,
    ...pooling,
    ...rectifiers,
    ...reductions,
    ...resize,
    ...rounding,
    ...scan,
    ...scatter,
    ...sequences,
    ...shape,
    ...transposedConvolution,
    ...unpooling,
    ...variadic,
  }),
)

/**
 * Operators whose output is whole numbers, truth values or text, or follows from a shape alone: nothing flows back through
 * them, and nothing is missed.
 */
export const WITHOUT_GRADIENT: ReadonlySet<string> = new Set([
  'And',
  'ArgMax',
  'ArgMin',
  'BitShift',
  'BitwiseAnd',
  'BitwiseNot',
  'BitwiseOr',
  'BitwiseXor',
  'BlackmanWindow',
  'Constant',
  'ConstantOfShape',
  'Equal',
  'EyeLike',
  'Greater',
  'GreaterOrEqual',
  'HammingWindow',
  'HannWindow',
  'ImageDecoder',
  'IsInf',
  'IsNaN',
  'Less',
  'LessOrEqual',
  'Multinomial',
  'NonMaxSuppression',
  'NonZero',
  'Not',
  'OptionalHasElement',
  'Or',
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Range',
  'RegexFullMatch',
  'SequenceLength',
  'Shape',
  'Size',
  'StringConcat',
  'StringNormalizer',
  'StringSplit',
  'TfIdfVectorizer',
  'Xor',
])
