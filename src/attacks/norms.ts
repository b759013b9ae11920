import type { Norm } from '../config/types.js'

/** ‖v‖ in a norm, in float64. NaN when an element is. */
export function lengthOf(norm: Norm, vector: Float32Array | Float64Array): number {
  let length = 0
  switch (norm) {
    case 'linf':
      for (let i = 0; i < vector.length; i++) length = Math.max(length, Math.abs(vector[i]))
      return length
    case 'l2':
      for (let i = 0; i < vector.length; i++) length += vector[i] * vector[i]
      return Math.sqrt(length)
    case 'l1':
      for (let i = 0; i < vector.length; i++) length += Math.abs(vector[i])
      return length
  }
}

/** The norm that says how much w·d can gain when d has length 1 (Hölder). */
export const dual: Readonly<Record<Norm, Norm>> = { linf: 'l1', l2: 'l2', l1: 'linf' }
