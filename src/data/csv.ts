import { parse } from 'csv-parse/sync'
import { UsageError } from '../errors.js'
import { gunzipIfNeeded } from './gzip.js'
import { oneLine } from '../text.js'
import { reasonOf } from './reason.js'
import type { StoredImages } from './types.js'

interface Row {
  readonly label: number
  readonly pixels: Float64Array
}

/**
 * One image a line, the label first, then its pixels. A first line whose label is not a number is a header. Values are
 * taken as uint8 when every one of the file is an integer in 0…255 and at least one exceeds the upper bound of the
 * declared range: then they cannot be anything else. Otherwise they are pixels as they stand.
 * @param high upper bound of the dataset's range
 */
export function decodeCsv(packed: Uint8Array, name: string, high: number): StoredImages {
  const rows = readRows(gunzipIfNeeded(packed, name), name)
  const width = rows[0]?.pixels.length ?? 0
  const values = new Float64Array(rows.length * width)
  rows.forEach(({ pixels }, row) => values.set(pixels, row * width))
  const isBytes = values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)
  return {
    available: rows.length,
    dims: [width],
    values: isBytes && values.some((value) => value > high) ? Uint8Array.from(values) : values,
    labels: rows.map(({ label }) => label),
  }
}

function readRows(bytes: Uint8Array, name: string): Row[] {
  const rows: Row[] = []
  let isFirst = true
  const add = (fields: readonly string[], line: number): void => {
    const [label, ...pixels] = fields.map(numberOf)
    const isHeader = isFirst && label === undefined && fields.length > 1
    isFirst = false
    if (isHeader) return
    const bad = [label, ...pixels].indexOf(undefined)
    if (bad >= 0)
      throw new UsageError(
        `${name}: line ${line}, column ${bad + 1} is "${oneLine(fields[bad].slice(0, 40))}", not a number; write the label, then the pixels, separated by commas`,
      )
    if (pixels.length === 0)
      throw new UsageError(
        `${name}: line ${line} has one column; write the label, then the pixels, separated by commas`,
      )
    const expected = rows[0]?.pixels.length ?? pixels.length
    if (pixels.length !== expected)
      throw new UsageError(
        `${name}: line ${line} has ${pixels.length} pixels, the first image has ${expected}; give every image the same number`,
      )
    rows.push({ label: label ?? NaN, pixels: Float64Array.from(pixels, (pixel) => pixel ?? NaN) })
  }
  try {
    parse(bytes, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      on_record: (fields: string[], { lines }) => {
        add(fields, lines)
        // Nothing is kept by the parser: rows of text would take many times the memory of numbers.
        return null
      },
    })
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(`${name}: is not readable CSV (${reasonOf(error)}); save it again, separated by commas`, {
      cause: error,
    })
  }
  return rows
}

/** NaN and infinities count as numbers here, so that they are reported as pixels; text and gaps do not. */
function numberOf(field: string): number | undefined {
  if (/^[+-]?(nan|inf(inity)?)$/i.test(field)) return NaN
  const value = Number(field)
  return field === '' || Number.isNaN(value) ? undefined : value
}
