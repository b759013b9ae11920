import type { Norm } from '../config/types.js'
import type { Threat } from './types.js'

export const NORMS: Readonly<Record<Norm, string>> = { linf: 'Linf', l2: 'L2', l1: 'L1' }

/** `72.8 %` of a fraction of 1. */
export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(1)} %`
}

/** `1.0`, `−69.2` with a real minus sign; never `−0.0`. */
export function points(value: number): string {
  const digits = Math.abs(value).toFixed(1)
  return value < 0 && Number(digits) !== 0 ? `−${digits}` : digits
}

/** `+5.3`, `−69.2`, `0.0`. */
export function signedPoints(value: number): string {
  const text = points(value)
  return value > 0 && Number(text) !== 0 ? `+${text}` : text
}

/** `2,400` */
export function count(value: number): string {
  return value.toLocaleString('en-US')
}

/** `Linf ε = 8/255` */
export function threatTitle({ id, norm, epsilon }: Pick<Threat, 'id' | 'norm' | 'epsilon'>): string {
  return `${NORMS[norm]} ε = ${writtenEpsilon({ id, norm, epsilon })}`
}

/** `8/255`: as the user wrote it where the threat's id is the slug of that, else the number. */
export function writtenEpsilon({ id, norm, epsilon }: Pick<Threat, 'id' | 'norm' | 'epsilon'>): string {
  const [, numerator, denominator] =
    new RegExp(`^${norm}-(\\d{1,6}(?:\\.\\d{1,12})?)(?:_(\\d{1,6}(?:\\.\\d{1,12})?))?$`).exec(id) ?? []
  if (numerator === undefined) return String(epsilon)
  const written = denominator === undefined ? Number(numerator) : Number(numerator) / Number(denominator)
  if (Math.abs(written - epsilon) > 1e-9 * epsilon) return String(epsilon)
  return denominator === undefined ? numerator : `${numerator}/${denominator}`
}
