import type { Ball } from './ball.js'
import { finite } from './float32.js'
import { roundedInside } from './roundedInside.js'

/**
 * The L2 ball within the bounds. `project` returns the nearest point of the two together: clipping a point that was drawn to
 * the ball first would bring it back inside, and give away the more of ε the more pixels stand at a bound.
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
    for (let i = 0; i < image.length; i++) point[i] = clip(target[i])
    if (distance(point) <= epsilon) return point

    const scale = shortening()
    for (let i = 0; i < image.length; i++) target[i] = clip(image[i] + scale * (target[i] - image[i])) - image[i]
    return roundedInside({ image, epsilon, distance }, target, [low, high])
  }

  /**
   * The s at which x + s (target − x), clipped, is ε away from x: by the conditions of Karush, Kuhn and Tucker that is the
   * nearest point. The square of the distance is concave and piecewise linear in s², so Newton's method never overshoots
   * and ends once no more pixels are clipped.
   */
  const shortening = (): number => {
    let square = 0
    for (;;) {
      let clipped = 0
      let free = 0
      for (let i = 0; i < image.length; i++) {
        const way = target[i] - image[i]
        const room = way > 0 ? high - image[i] : image[i] - low
        if (square * way * way < room * room) free += way * way
        else clipped += room * room
      }
      const later = free > 0 ? (epsilon * epsilon - clipped) / free : 0
      if (!(later > square)) return Math.sqrt(square)
      square = later
    }
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
