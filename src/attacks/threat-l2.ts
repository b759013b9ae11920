import { roundTowards } from './float32.js'
import type { ThreatModel } from './threat.js'

/**
 * The L2 ball within the bounds. A point is first drawn to the ball along the ray from the image, then clipped to the
 * bounds; clipping only brings it nearer to the image, which is inside them.
 */
export function l2Threat(image: Float32Array, epsilon: number, low: number, high: number): ThreatModel {
  const clip = (value: number): number => (value < low ? low : value > high ? high : value)
  const distance = (point: ArrayLike<number>): number => {
    let sum = 0
    for (let i = 0; i < image.length; i++) sum += (point[i] - image[i]) ** 2
    return Math.sqrt(sum)
  }

  const project = (target: ArrayLike<number>): Float32Array => {
    const point = new Float32Array(image.length)
    const length = distance(target)
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
    project,
    randomPoint(random) {
      const target = new Float64Array(image.length)
      for (let i = 0; i < image.length; i++) target[i] = random.gaussian()
      const scale = (epsilon * random.uniform() ** (1 / image.length)) / norm(target)
      for (let i = 0; i < image.length; i++) target[i] = image[i] + scale * target[i]
      return project(target)
    },
    step(point, gradient, size) {
      const slope = norm(gradient)
      const scale = slope > 0 ? size / slope : 0
      const target = new Float64Array(image.length)
      for (let i = 0; i < image.length; i++)
        target[i] = point[i] + (Number.isFinite(gradient[i]) ? scale * gradient[i] : 0)
      return project(target)
    },
  }
}

/** ‖vector‖₂ of the finite components. Float64 has room for the squares of the largest and the least float32. */
function norm(vector: Float32Array | Float64Array): number {
  let sum = 0
  for (let i = 0; i < vector.length; i++) if (Number.isFinite(vector[i])) sum += vector[i] * vector[i]
  return Math.sqrt(sum)
}
