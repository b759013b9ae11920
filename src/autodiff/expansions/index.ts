import type { Expansion } from '../expansion.js'
import { attention } from './attention.js'
import { blockQuantised } from './blockQuantised.js'
import { classical } from './classical.js'
import { contributed } from './contributed.js'
import { controlFlow } from './controlFlow.js'
import { fused } from './fused.js'
import { fusedAttention } from './fusedAttention.js'
import { gates } from './gates.js'
import { integerArithmetic } from './integerArithmetic.js'
import { losses } from './losses.js'
import { normalizations } from './normalization.js'
import { optionals } from './optionals.js'
import { quantisedAttention } from './quantisedAttention.js'
import { quantisation } from './quantisation.js'
import { quantisedOperators } from './quantisedOperators.js'
import { quantisedRecurrent } from './quantisedRecurrent.js'
import { recurrent } from './recurrent.js'
import { rotaryEmbedding } from './rotaryEmbedding.js'
import { sequences } from './sequences.js'
import { spatial } from './spatial.js'

/** Operators that are differentiated as a composition of others: name (with its domain, when it is not ai.onnx) → the others. */
export const EXPANSIONS: ReadonlyMap<string, Expansion> = new Map<string, Expansion>(
  Object.entries({
    ...attention,
    ...blockQuantised,
    ...classical,
    ...contributed,
    ...controlFlow,
    ...fused,
    ...fusedAttention,
    ...gates,
    ...integerArithmetic,
    ...losses,
    ...normalizations,
    ...optionals,
    ...quantisation,
    ...quantisedAttention,
    ...quantisedOperators,
    ...quantisedRecurrent,
    ...recurrent,
    ...rotaryEmbedding,
    ...sequences,
    ...spatial,
  }),
)

/** Expansions that only say which way values go: whole numbers stay whole numbers in them. */
export const KEEPING_TYPES: ReadonlySet<string> = new Set(Object.keys({ ...controlFlow, ...optionals, ...sequences }))
