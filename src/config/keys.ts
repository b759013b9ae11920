import { closest, distance } from 'fastest-levenshtein'
import { UsageError } from '../errors.js'

/** ` (did you mean "x"?)`-style hint, or nothing when no name is near enough to be a slip of the hand. */
export function suggestion(written: string, known: readonly string[]): string {
  if (known.length === 0) return ''
  const near = closest(written.toLowerCase(), [...known])
  return distance(written.toLowerCase(), near) <= Math.max(2, Math.floor(near.length / 3))
    ? `; did you mean "${near}"?`
    : ''
}

export function unknownKey(written: string, known: readonly string[]): string {
  return `unknown key ${quote(written)}${suggestion(written, known) || `; known are ${known.join(', ')}`}`
}

/** What the user wrote, on one line and short enough for one. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

/** `max-robust-drop` → `maxRobustDrop`. */
export function camelCase(key: string): string {
  return key.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** `maxRobustDrop` → `max-robust-drop`: as flags and action inputs are spelled. */
export function kebabCase(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

/**
 * The record under its camelCase names; both spellings of a key mean the same.
 *
 * @throws UsageError (without a place) for a key that is not known, or one given in both spellings.
 */
export function knownKeys(
  record: Readonly<Record<string, unknown>>,
  known: readonly string[],
): Record<string, unknown> {
  const renamed: Record<string, unknown> = {}
  for (const [written, value] of Object.entries(record)) {
    const key = camelCase(written)
    if (!known.includes(key)) throw new UsageError(unknownKey(written, known))
    if (key in renamed) throw new UsageError(`"${key}" is given twice, as "${key}" and "${kebabCase(key)}"; keep one`)
    renamed[key] = value
  }
  return renamed
}
