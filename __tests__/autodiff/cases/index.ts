import type { Case, Pointwise } from '../support.js'
import * as core from './core.js'
import * as spatial from './spatial.js'

/** What a family of operators is checked with; see rules.test.ts. */
interface Family {
  readonly LINEAR?: readonly Case[]
  readonly SMOOTH?: readonly Case[]
  readonly POINTWISE?: readonly Pointwise[]
}

const families: readonly Family[] = [core, spatial]

/** Linear (or affine) in x: checked by the adjoint test, to the last bit. */
export const LINEAR = families.flatMap(({ LINEAR: cases = [] }) => cases)
/** Nonlinear, with kernels in double: checked against central differences in float64. */
export const SMOOTH = families.flatMap(({ SMOOTH: cases = [] }) => cases)
export const POINTWISE = families.flatMap(({ POINTWISE: cases = [] }) => cases)
