import type { Case, Doubled, Pointwise, StandIn } from '../support.js'
import * as attention from './attention.js'
import * as broadcasting from './broadcasting.js'
import * as classical from './classical.js'
import * as contributed from './contributed.js'
import * as contributedForms from './contributedForms.js'
import * as controlFlow from './controlFlow.js'
import * as core from './core.js'
import * as curves from './curves.js'
import * as dynamicConvolution from './dynamicConvolution.js'
import * as elementwise from './elementwise.js'
import * as featureMaps from './featureMaps.js'
import * as fused from './fused.js'
import * as fusedAttention from './fusedAttention.js'
import * as indexing from './indexing.js'
import * as losses from './losses.js'
import * as normalization from './normalization.js'
import * as pools from './pools.js'
import * as quantised from './quantised.js'
import * as quantisedCurves from './quantisedCurves.js'
import * as quantisedLayers from './quantisedLayers.js'
import * as quantisedOperators from './quantisedOperators.js'
import * as recurrent from './recurrent.js'
import * as reductions from './reductions.js'
import * as resize from './resize.js'
import * as rotaryEmbedding from './rotaryEmbedding.js'
import * as sampling from './sampling.js'
import * as scatter from './scatter.js'
import * as sequences from './sequences.js'
import * as spatial from './spatial.js'
import * as statistics from './statistics.js'
import * as steps from './steps.js'
import * as tensorAlgebra from './tensorAlgebra.js'

/** What a family of operators is checked with; see rules.test.ts. */
interface Family {
  readonly LINEAR?: readonly Case[]
  readonly ROUNDED?: readonly Case[]
  readonly SMOOTH?: readonly Case[]
  readonly POINTWISE?: readonly Pointwise[]
  readonly STAND_INS?: readonly StandIn[]
  readonly DOUBLED?: readonly Doubled[]
  readonly QUANTISED?: readonly quantisedCurves.Quantised[]
}

const families: readonly Family[] = [
  attention,
  broadcasting,
  classical,
  contributed,
  contributedForms,
  controlFlow,
  core,
  curves,
  dynamicConvolution,
  elementwise,
  featureMaps,
  fused,
  fusedAttention,
  indexing,
  losses,
  normalization,
  pools,
  quantised,
  quantisedCurves,
  quantisedLayers,
  quantisedOperators,
  recurrent,
  reductions,
  resize,
  rotaryEmbedding,
  sampling,
  scatter,
  sequences,
  spatial,
  statistics,
  steps,
  tensorAlgebra,
]

/** Linear (or affine) in x: checked by the adjoint test, to the last bit. */
export const LINEAR = families.flatMap(({ LINEAR: cases = [] }) => cases)
/** Linear, with weights that float32 rounds: both ways through the whole matrix; see columns.test.ts. */
export const ROUNDED = families.flatMap(({ ROUNDED: cases = [] }) => cases)
/** Nonlinear, with kernels in double: checked against central differences in float64. */
export const SMOOTH = families.flatMap(({ SMOOTH: cases = [] }) => cases)
export const POINTWISE = families.flatMap(({ POINTWISE: cases = [] }) => cases)
/** Kernels in float32 only, or another way in float32: checked against the same function in double; see doubled.test.ts. */
export const DOUBLED = families.flatMap(({ DOUBLED: cases = [] }) => cases)
/** Straight-through: the gradient must be that of the stand-in. */
export const STAND_INS = families.flatMap(({ STAND_INS: cases = [] }) => cases)
/** Quantised and not linear: checked against the real operator in double; see quantised.test.ts. */
export const QUANTISED = families.flatMap(({ QUANTISED: cases = [] }) => cases)
/** All of them. */
export const CASES: readonly Case[] = [
  ...[...LINEAR, ...ROUNDED, ...SMOOTH],
  ...[...POINTWISE, ...DOUBLED, ...STAND_INS, ...QUANTISED].map(({ tested }) => tested),
]
