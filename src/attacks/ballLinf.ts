import type { Ball } from './ball.js'
import { neighbour } from './float32.js'

/** The Linf ball is a box: its corners are found once, and projecting is a comparison for each pixel. */
export function linfBall(image: Float32Array, epsilon: number, low: number, high: number): Ball {
  const lower = new Float32Array(image.length)
  const upper = new Float32Array(image.length)
  for (let i = 0; i < image.length; i++) {
    lower[i] = Math.max(low, farthest(image[i], epsilon, -1))
    upper[i] = Math.min(high, farthest(image[i], epsilon, 1))
  }
  // Clamped before it is rounded to float32: the corners are float32, so rounding cannot leave the box.
  const clamp = (value: number, i: number): number =>
    value < lower[i] ? lower[i] : value > upper[i] ? upper[i] : value

  return {
    image,
    epsilon,
    project(point) {
      const projected = new Float32Array(image.length)
      for (let i = 0; i < image.length; i++) projected[i] = clamp(point[i], i)
      return projected
    },
    randomPoint(random) {
      const start = new Float32Array(image.length)
      for (let i = 0; i < image.length; i++) start[i] = clamp(image[i] + epsilon * (2 * random.uniform() - 1), i)
      return start
    },
    step(point, gradient, size) {
      const next = new Float32Array(image.length)
      for (let i = 0; i < image.length; i++) {
        // The sign of the gradient without a branch that nobody can predict; NaN is neither above nor below 0.
        const sign = Number(gradient[i] > 0) - Number(gradient[i] < 0)
        next[i] = clamp(point[i] + size * sign, i)
      }
      return next
    },
    distance(point) {
      let farthest = 0
      for (let i = 0; i < image.length; i++) farthest = Math.max(farthest, Math.abs(point[i] - image[i]))
      return farthest
    },
  }
}

/** The float32 farthest from `pixel` in one direction whose distance, computed in float64, is at most `epsilon`. */
function farthest(pixel: number, epsilon: number, sign: 1 | -1): number {
  const within = (value: number): boolean => sign * (value - pixel) <= epsilon
  let value = Math.fround(pixel + sign * epsilon)
  if (!Number.isFinite(value)) return value
  while (!within(value)) value = neighbour(value, sign === 1 ? -1 : 1)
  // One more at most: the sum may have been rounded down. (Near 0, float64 would let millions of denormals pass.)
  const next = neighbour(value, sign)
  return within(next) ? next : value
}
