import type { Ball } from './ball.js'
import { finite } from './float32.js'
import { roundedInside } from './roundedInside.js'
import { softThreshold } from './softThreshold.js'

/**
 * The L1 ball within the bounds. Unlike in L2, projecting to the ball and clipping afterwards would give away much of
 * what an attacker may do: `project` returns the nearest point of the intersection (Croce and Hein 2021, section 3).
 *
 * `step` moves along the gradient divided by its L1 norm, as foolbox's L1ProjectedGradientDescentAttack does. It is not
 * the direction of steepest ascent, which is a single pixel; the steps of APGD are better (sparsePace.ts).
 */
export function l1Ball(image: Float32Array, epsilon: number, low: number, high: number): Ball {
  const clip = (value: number): number => Math.min(high, Math.max(low, value))
  // Where a point wants to be before it is projected: written anew each time, so that a step allocates only its result.
  const target = new Float64Array(image.length)
  const lengths = new Float64Array(image.length)
  const rooms = new Float64Array(image.length)

  const distance = (point: Float32Array): number => {
    let sum = 0
    for (let i = 0; i < image.length; i++) sum += Math.abs(point[i] - image[i])
    return sum
  }

  const projectTarget = (): Float32Array => {
    const point = new Float32Array(image.length)
    for (let i = 0; i < image.length; i++) point[i] = clip(target[i])
    if (distance(point) <= epsilon) return point

    for (let i = 0; i < image.length; i++) {
      lengths[i] = Math.abs(target[i] - image[i])
      rooms[i] = target[i] > image[i] ? high - image[i] : image[i] - low
    }
    const threshold = softThreshold(lengths, rooms, epsilon)
    for (let i = 0; i < image.length; i++) {
      const length = Math.min(rooms[i], Math.max(0, lengths[i] - threshold))
      target[i] = target[i] > image[i] ? length : -length
    }
    return roundedInside({ image, epsilon, distance }, target, [low, high])
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
      // n of n + 1 exponentials over the sum of all are uniform in the simplex, and with signs in the ball. (foolbox
      // draws the same as gaps between sorted uniforms.)
      let sum = -Math.log(1 - random.uniform())
      for (let i = 0; i < image.length; i++) {
        const length = -Math.log(1 - random.uniform())
        target[i] = random.uniform() < 0.5 ? -length : length
        sum += length
      }
      for (let i = 0; i < image.length; i++) target[i] = clip(image[i] + (epsilon / sum) * target[i])
      return projectTarget()
    },
    step(point, gradient, size) {
      let sum = 0
      for (let i = 0; i < image.length; i++) sum += Math.abs(finite(gradient[i]))
      const scale = sum > 0 ? size / sum : 0
      for (let i = 0; i < image.length; i++) target[i] = point[i] + scale * finite(gradient[i])
      return projectTarget()
    },
  }
}
