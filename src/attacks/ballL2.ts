import { finite, roundTowards } from './float32.js'
import type { Ball } from './threat.js'

/**
 * The L2 ball within the bounds. A point is first drawn to the ball along the ray from the image, then clipped to the
 * bounds; clipping only brings it nearer to the image, which is inside them.
 */
export function l2Ball(image: Float32Array, epsilon: number, low: number, high: number): Ball {
  const clip = (value: number): number => Math.min(high, Math.max(low, value))
  // Where a point wants to be before it is projected: written anew each time, so that a step allocates only its result.
  const target = new Float64Array(image.length)

  const distance = (point: Float32Array): number => {
    let sum = 0
    for (let i = 0; i < image.length; i++) sum += (point[i] - image[i]) * (point[i] - image[i])
    return Math.sqrt(sum)
  }

  const projectTarget = (): Float32Array => {
    const point = new Float32Array(image.length)
    let sum = 0
    for (let i = 0; i < image.length; i++) sum += (target[i] - image[i]) * (target[i] - image[i])
    const length = Math.sqrt(sum)
    if (length <= epsilon) {
      for (let i = 0; i < image.length; i++) point[i] = clip(target[i])
      if (distance(point) <= epsilon) return point
    }
    // Rounding towards the image all but settles it; what the float64 sums lose is some 1e-16 of ε for each pixel.
    let scale = Math.min(1, epsilon / length)
    for (let shrink = 2 ** -50; shrink <= 1; shrink *= 2) {
      for (let i = 0; i < image.length; i++)
        point[i] = clip(roundTowards(image[i], image[i] + scale * (target[i] - image[i])))
      if (distance(point) <= epsilon) return point
      scale *= 1 - shrink
    }
    return image.slice()
  }

  return {
    image,
    epsilon,
    distance,
    project(point) {
      target.set(point)
      return projectTarget()
    },
    randomPoint(random) {
      let sum = 0
      for (let i = 0; i < image.length; i++) {
        target[i] = random.gaussian()
        sum += target[i] * target[i]
      }
      const scale = (epsilon * random.uniform() ** (1 / image.length)) / Math.sqrt(sum)
      for (let i = 0; i < image.length; i++) target[i] = image[i] + scale * target[i]
      return projectTarget()
    },
    step(point, gradient, size) {
      // Float64 has room for the squares of the largest and of the least float32.
      let sum = 0
      for (let i = 0; i < image.length; i++) {
        const slope = finite(gradient[i])
        sum += slope * slope
      }
      const scale = sum > 0 ? size / Math.sqrt(sum) : 0
      for (let i = 0; i < image.length; i++) target[i] = point[i] + scale * finite(gradient[i])
      return projectTarget()
    },
  }
}
