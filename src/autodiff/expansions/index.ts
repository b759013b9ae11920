import type { Expansion } from '../expansion.js'
import { normalizations } from './normalization.js'

/** Operators that are differentiated as a composition of others: name (with its domain, when it is not ai.onnx) → the others. */
export const EXPANSIONS: ReadonlyMap<string, Expansion> = new Map<string, Expansion>(
  Object.entries({
    ...normalizations,
  }),
)
