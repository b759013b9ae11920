import { UsageError } from '../errors.js'
import type { Ball } from './threat.js'

export function l1Ball(_image: Float32Array, _epsilon: number, _low: number, _high: number): Ball {
  throw new UsageError('The norm l1 is not supported yet: use linf or l2.')
}
