import type { Ball } from './ball.js'
import { roundTowards } from './float32.js'

/**
 * The float32 point at the end of a way that was made to end in the ball and in the bounds. Rounding towards the image all
 * but keeps it there; what the float64 sums lose is some 1e-16 of ε for each pixel, and the way is shortened by as much.
 *
 * @param way from the image, float64 [pixels]
 * @returns float32 [pixels]; the image itself where the way is not finite
 */
export function roundedInside(
  { image, epsilon, distance }: Pick<Ball, 'image' | 'epsilon' | 'distance'>,
  way: Float64Array,
  [low, high]: readonly [number, number],
): Float32Array {
  const point = new Float32Array(image.length)
  let scale = 1
  for (let shrink = 2 ** -50; shrink <= 1; shrink *= 2) {
    for (let i = 0; i < image.length; i++)
      point[i] = Math.min(high, Math.max(low, roundTowards(image[i], image[i] + scale * way[i])))
    if (distance(point) <= epsilon) return point
    scale *= 1 - shrink
  }
  return image.slice()
}
