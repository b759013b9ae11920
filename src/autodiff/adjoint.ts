import type { Tensor } from '../onnx/graph.js'

/** A sliding window as Conv and the pools share it, every default written out and `auto_pad` resolved. */
export interface Window {
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  readonly begin: readonly number[]
  readonly end: readonly number[]
  /** Spatial sizes. */
  readonly input: readonly number[]
  readonly output: readonly number[]
}

/** What makes the adjoint of a Conv. */
export interface Adjoint {
  /** Of the Conv's output. */
  readonly gradient: string
  /** [M, C / group, ...kernel] */
  readonly weights: Tensor
  readonly group: number
  /** Without dilation where it strides; `hasPhases` (rules/phases.ts) holds of it. */
  readonly window: Window
}
