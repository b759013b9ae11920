import { z } from 'zod'
import { UsageError } from '../errors.js'
import { knownKeys, quote, suggestion } from './keys.js'

/**
 * Parsers of single values. Flags and action inputs arrive as text, a config file's values typed: each parser takes
 * both, and throws a UsageError that says what is wrong but not where; the place is added by `parseConfig`.
 */
export type Parser<T> = (value: unknown) => T

interface Bounds {
  readonly min?: number
  readonly max?: number
  /** Neither `min` nor `max` itself is allowed. */
  readonly exclusive?: boolean
}

/** A finite number: `0.1`, `"0.1"`, `"8/255"`. */
export function number(value: unknown, bounds: Bounds = {}): number {
  const parsed = typeof value === 'number' ? value : typeof value === 'string' ? quotient(value) : Number.NaN
  if (!Number.isFinite(parsed)) throw new UsageError(`${quote(value)} is not a number; write one like 0.1 or 8/255`)
  const { min = -Infinity, max = Infinity, exclusive = false } = bounds
  if (exclusive ? parsed <= min || parsed >= max : parsed < min || parsed > max)
    throw new UsageError(`${quote(value)} is out of bounds; it must be ${describe(bounds)}`)
  return parsed
}

export function wholeNumber(value: unknown, bounds: Bounds = {}): number {
  const parsed = number(value, bounds)
  if (!Number.isSafeInteger(parsed)) throw new UsageError(`${quote(value)} is not a whole number`)
  return parsed
}

/** Percentage points: `1.5` and `"1.5%"` are the same. */
export function points(value: unknown): number {
  return number(typeof value === 'string' ? value.replace(/\s*%$/, '') : value, { min: 0, max: 100 })
}

/** A fraction of 1: `0.5`, `"50%"`. */
export function fraction(value: unknown): number {
  if (typeof value === 'string' && value.trim().endsWith('%')) return points(value) / 100
  const parsed = number(value, { min: 0 })
  if (parsed > 1) throw new UsageError(`${quote(value)} is more than 1; write a fraction like 0.5, or 50%`)
  return parsed
}

/** `[1, 28, 28]`, `"1,28,28"`, or one value alone. */
export function list<T>(value: unknown, parse: Parser<T>): readonly T[] {
  const parts: unknown[] = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [value]
  return parts.map(parse)
}

/** A pixel's bounds, low then high. */
export function range(value: unknown): readonly [number, number] {
  const [low, high, ...more] = list(value, (part) => number(part))
  if (low === undefined || high === undefined || more.length > 0 || low >= high)
    throw new UsageError(`${quote(value)} is not a range; write the lowest and the highest pixel value, like 0,255`)
  return [low, high]
}

/** `[height, width]`; one number is a square. `"224x192"` works too. */
export function size(value: unknown): readonly [number, number] {
  const spelled = typeof value === 'string' ? value.replace('x', ',') : value
  const [height, width = height, ...more] = list(spelled, (part) => wholeNumber(part, { min: 1 }))
  if (height === undefined || width === undefined || more.length > 0)
    throw new UsageError(`${quote(value)} is not a size; write 224, or height and width: 224,192`)
  return [height, width]
}

export function flag(value: unknown): boolean {
  if (value === true || value === 'true') return true
  if (value === false || value === 'false') return false
  throw new UsageError(`${quote(value)} is neither true nor false`)
}

/** Text of one line that is not empty. */
export function text(value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') throw new UsageError(`${quote(value)} is not a text`)
  if (/[\r\n\0]/.test(value)) throw new UsageError(`${quote(value)} must be one line`)
  return value
}

export function choice<const T extends string>(names: readonly T[]): Parser<T> {
  return (value) => {
    const name = names.find((each) => each === value)
    if (name === undefined)
      throw new UsageError(
        `${quote(value)} is none of ${names.join(', ')}${typeof value === 'string' ? suggestion(value, names) : ''}`,
      )
    return name
  }
}

/** A parser as a schema: its UsageError becomes the issue of the place it was found at. */
export function schemaOf<T>(parse: Parser<T>) {
  return z.unknown().transform((value, context): T => attempt(() => parse(value), value, context))
}

/** An object whose keys may be spelled in camelCase or kebab-case and of which none may be unknown. */
export function recordOf<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape)
  return z.preprocess((value, context) => {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
    return attempt(() => knownKeys({ ...value }, known), value, context)
  }, z.object(shape))
}

function attempt<T>(run: () => T, input: unknown, context: z.RefinementCtx): T {
  try {
    return run()
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    context.issues.push({ code: 'custom', message: error.message, input })
    return z.NEVER
  }
}

function quotient(written: string): number {
  const [numerator, denominator = '1', ...more] = written.split('/').map((part) => part.trim())
  const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
  if (more.length > 0 || !decimal.test(numerator) || !decimal.test(denominator)) return Number.NaN
  return Number(numerator) / Number(denominator)
}

function describe({ min, max, exclusive }: Bounds): string {
  const low = min === undefined ? '' : exclusive ? `greater than ${min}` : `at least ${min}`
  const high = max === undefined ? '' : exclusive ? `less than ${max}` : `at most ${max}`
  return [low, high].filter((part) => part !== '').join(' and ')
}
