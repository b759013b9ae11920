import { UsageError } from '../errors.js'

type Range = readonly [number, number]

/** Values of all images together: 8 GiB as float32. */
export const MAXIMUM_PIXELS = 2 ** 31

/** @throws UsageError, which says how many images there is room for. */
export function refuseTooMany(images: number, size: number, name: string): void {
  if (images * size > MAXIMUM_PIXELS)
    throw new UsageError(
      `${name}: ${images} images of ${size} values are more than the ${MAXIMUM_PIXELS} values that are taken; set \`samples\` (--samples) to at most ${Math.floor(MAXIMUM_PIXELS / size)}`,
    )
}

/**
 * Stored values → pixels in the dataset's range. uint8 v becomes low + (high − low)·v/255, computed in float64 and
 * rounded once to float32; floats stay as they are. Every pixel lies inside the range also where a bound has no float32.
 * @param values [images × size]
 * @param size values per image, to name the image in an error
 * @throws UsageError for NaN, infinity and anything outside the range, with the first image it occurs in
 */
export function toPixels(
  values: Uint8Array | Float32Array | Float64Array,
  size: number,
  range: Range,
  name: string,
): Float32Array {
  const inside = float32Inside(range)
  const [low, high] = range
  const pixels = new Float32Array(values.length)
  if (values instanceof Uint8Array) {
    const table = Float32Array.from({ length: 256 }, (_, v) => inside(low + ((high - low) * v) / 255))
    for (let i = 0; i < values.length; i++) pixels[i] = table[values[i]]
    return pixels
  }
  const [lowest, highest] = [Math.fround(low), Math.fround(high)]
  for (let i = 0; i < values.length; i++) {
    const value = Math.fround(values[i])
    if (!(value >= lowest && value <= highest)) throw outsideRange(values, i, size, range, name)
    pixels[i] = inside(value)
  }
  return pixels
}

/** Rounds to float32, but never past a bound: the float32 nearest to a bound of 0.1 is greater than 0.1. */
function float32Inside([low, high]: Range): (value: number) => number {
  const lowest = Math.fround(low) < low ? neighbour(Math.fround(low), 1) : Math.fround(low)
  const highest = Math.fround(high) > high ? neighbour(Math.fround(high), -1) : Math.fround(high)
  return (value) => Math.min(highest, Math.max(lowest, Math.fround(value)))
}

/** The next float32 above (+1) or below (−1): floats of one sign are ordered as their bits. */
function neighbour(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * 2 ** -149
  const bits = new Int32Array(Float32Array.of(value).buffer)
  bits[0] += Math.sign(value) * direction
  return new Float32Array(bits.buffer)[0]
}

function outsideRange(
  values: Float32Array | Float64Array,
  place: number,
  size: number,
  [low, high]: Range,
  name: string,
): UsageError {
  const value = values[place]
  const where = `${name}: image ${Math.floor(place / size)} has a pixel that is ${value}`
  if (!Number.isFinite(value)) return new UsageError(`${where}; repair or remove this image`)
  const problem = `${where}, outside the declared range ${low},${high}`
  let [smallest, largest] = [Infinity, -Infinity]
  for (const each of values) [smallest, largest] = [Math.min(smallest, each), Math.max(largest, each)]
  if (smallest < 0 && low >= 0)
    return new UsageError(
      `${problem}: the data looks normalised; give raw pixels and declare mean and std (--mean, --std), or declare the range with --range`,
    )
  if (smallest >= 0 && largest <= 255) return new UsageError(`${problem}; declare the range with --range 0,255`)
  return new UsageError(`${problem}; the data's values reach from ${smallest} to ${largest}: declare that with --range`)
}
