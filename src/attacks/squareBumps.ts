import { imageGrid, patchIndices, patchSize, randomPatch } from './imageGrid.js'
import { randomSign, type Proposals } from './proposals.js'
import type { Random } from './random.js'
import type { Target } from './target.js'

/** What the two norms differ in. */
interface Measure {
  readonly norm: (values: ArrayLike<number>) => number
  /** How fast a bump falls off from its middle. */
  readonly decay: number
  /** What one channel of the window may have, of a whole perturbation of norm `spent`, for `free` in the windows there. */
  readonly budget: (epsilon: number, spent: number, free: number, channels: number) => number
}

export const MEASURES: Readonly<Record<'l2' | 'l1', Measure>> = {
  l2: {
    norm(values) {
      let sum = 0
      for (let i = 0; i < values.length; i++) sum += values[i] * values[i]
      return Math.sqrt(sum)
    },
    decay: 2,
    budget: (epsilon, spent, free, channels) =>
      Math.sqrt(Math.max(0, epsilon * epsilon - spent * spent) / channels + free * free),
  },
  l1: {
    norm(values) {
      let sum = 0
      for (let i = 0; i < values.length; i++) sum += Math.abs(values[i])
      return sum
    },
    decay: 4,
    budget: (epsilon, spent, free, channels) => Math.max(0, epsilon - spent) + free * channels,
  },
}

/** What keeps a quotient of two norms finite; of a perturbation that is not nothing it is no part. */
const TINY = 1e-12

/**
 * Square's points under L2 and L1 (Andriushchenko et al. 2020, section 3.3 and algorithm 3; L1: Croce and Hein 2021):
 * bumps, each half up and half down, tile the image to begin with. Then the perturbation in one window is taken away and
 * what norm that leaves goes to another window, which gets a bump on top of what it has.
 */
export function squareBumps({ threat, shape, layout }: Target, norm: 'l2' | 'l1'): Proposals {
  const { image, epsilon, low, high } = threat
  const measure = MEASURES[norm]
  const grid = imageGrid({ shape, layout })
  const { channels, height, width } = grid

  /** Under L2 on the sphere, whatever norm the windows ended with; under L1 the projection alone decides. */
  const pointOf = (delta: Float64Array): Float32Array => {
    const scale = norm === 'l2' ? epsilon / (TINY + measure.norm(delta)) : 1
    const point = new Float32Array(image.length)
    for (let i = 0; i < image.length; i++) point[i] = image[i] + scale * delta[i]
    return threat.project(point)
  }

  return {
    start(random) {
      const delta = new Float64Array(image.length)
      const side = Math.max(1, Math.floor(Math.sqrt(height * width) / 5))
      const { rows, columns } = patchSize(grid, side)
      const [top, left] = [(height % rows) / 2, (width % columns) / 2].map(Math.floor)
      for (let row = top; row + rows <= height; row += rows)
        for (let column = left; column + columns <= width; column += columns) {
          const bump = signedBump(rows, columns, measure, random)
          for (let channel = 0; channel < channels; channel++) {
            const height = randomSign(random) * (high - low)
            const indices = patchIndices(grid, { row, column, rows, columns }, channel)
            indices.forEach((index, i) => (delta[index] = height * bump[i]))
          }
        }
      return pointOf(delta)
    },
    next(best, share, random) {
      const delta = new Float64Array(image.length)
      for (let i = 0; i < image.length; i++) delta[i] = best[i] - image[i]
      const spent = measure.norm(delta)
      const side = Math.max(3, Math.round(Math.sqrt(share * height * width)))
      const size = patchSize(grid, side % 2 === 0 ? side + 1 : side)
      const [gaining, losing] = [randomPatch(grid, size, random), randomPatch(grid, size, random)]
      const bump = signedBump(size.rows, size.columns, measure, random)
      for (let channel = 0; channel < channels; channel++) {
        const [gains, loses] = [gaining, losing].map((patch) => patchIndices(grid, patch, channel))
        const before = gains.map((index) => delta[index])
        const free = measure.norm([...new Set([...gains, ...loses])].map((index) => delta[index]))
        const [sign, length] = [randomSign(random), measure.norm(before)]
        const wanted = before.map((value, i) => sign * bump[i] + value / (TINY + length))
        const scale = measure.budget(epsilon, spent, free, channels) / (TINY + measure.norm(wanted))
        for (const index of loses) delta[index] = 0
        gains.forEach((index, i) => (delta[index] = scale * wanted[i]))
      }
      return pointOf(delta)
    },
  }
}

/** η: one half of a patch up, the other down, of norm 1, row by row. The halves are above or beside each other. */
export function signedBump(rows: number, columns: number, { norm, decay }: Measure, random: Random): Float64Array {
  const beside = random.uniform() > 0.5
  const across = rows < 2 || (beside && columns > 1)
  const cut = Math.floor((across ? columns : rows) / 2)
  const values = new Float64Array(rows * columns)
  const fill = (first: number, end: number, sign: number): void => {
    const [high, wide] = across ? [rows, end - first] : [end - first, columns]
    const bump = halfBump(high, wide, decay)
    const length = sign * norm(bump)
    for (let r = 0; r < high; r++)
      for (let c = 0; c < wide; c++) {
        const place = across ? r * columns + first + c : (first + r) * columns + c
        values[place] = bump[r * wide + c] / length
      }
  }
  if (cut > 0) fill(0, cut, 1)
  fill(cut, across ? columns : rows, -1)
  const length = norm(values)
  return values.map((value) => value / length)
}

/** η^{(h1,h2)}, eq. 2: in rings around the middle, each Σ 1/(k+1)^decay over k from its own number to the outermost ring's. */
function halfBump(rows: number, columns: number, decay: number): Float64Array {
  const [middle, centre] = [Math.floor(rows / 2), Math.floor(columns / 2)]
  const rings = new Float64Array(Math.max(middle, centre) + 2)
  for (let k = rings.length - 2; k >= 0; k--) rings[k] = rings[k + 1] + 1 / (k + 1) ** decay
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    return rings[Math.max(Math.abs(row - middle), Math.abs(column - centre))]
  })
}
