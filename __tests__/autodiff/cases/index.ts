import type { Case, Doubled, Pointwise } from '../support.js'
import * as core from './core.js'
import * as normalization from './normalization.js'
import * as spatial from './spatial.js'
import * as indexing from './indexing.js'
import * as resize from './resize.js'

/** What a family of operators is checked with; see rules.test.ts. */
interface Family {
  readonly LINEAR?: readonly Case[]
  readonly SMOOTH?: readonly Case[]
  readonly POINTWISE?: readonly Pointwise[]
  readonly DOUBLED?: readonly Doubled[]
}

const families: readonly Family[] = [core, spatial, indexing, normalization, resize]

/** Linear (or affine) in x: checked by the adjoint test, to the last bit. */
export const LINEAR = families.flatMap(({ LINEAR: cases = [] }) => cases)
/** Nonlinear, with kernels in double: checked against central differences in float64. */
export const SMOOTH = families.flatMap(({ SMOOTH: cases = [] }) => cases)
export const POINTWISE = families.flatMap(({ POINTWISE: cases = [] }) => cases)
/** Kernels in float32 only, or another way in float32: checked against the same function in double; see doubled.test.ts. */
export const DOUBLED = families.flatMap(({ DOUBLED: cases = [] }) => cases)
