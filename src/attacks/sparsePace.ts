import type { Pace, Summit } from './ascent.js'
import type { ThreatModel } from './threat.js'

/** By how much fewer pixels the next step moves than the summit has changed, and by how much a step size shrinks. */
const REDUCTION = 1.5
/** The summit is sparser than at the last check if it has changed less than this share of as many pixels. */
const SPARSER = 0.95
/** The step size is never less than ε over this. */
const SMALLEST = 10

/**
 * The steps of APGD under L1 (Croce and Hein 2021, algorithm 1): the k pixels with the steepest gradient move, all by the
 * same length and together by the step size. At every check k follows how sparse the summit is; where it has become
 * sparser the step size starts anew with ε, from the summit, and elsewhere it shrinks.
 */
export function sparsePace(threat: ThreatModel, start: Summit, { steps }: { readonly steps: number }): Pace {
  const { image, epsilon } = threat
  const period = Math.max(Math.floor(0.04 * steps), 1)
  const slopes = new Float32Array(image.length)
  let changed = changedPixels(start.point, image)
  let size = epsilon
  let step = 0

  return {
    step(point, gradient) {
      // Always rounded up it would stay at two pixels, where the best point may have changed one; always down it would move one of
      // two, and on a fold whose steepest pixel lies across it the other never moves. The paper does not say how.
      const round = Math.floor(step / period) % 2 === 0 ? Math.ceil : Math.floor
      const direction = steepest(gradient, Math.max(1, round(changed / REDUCTION)), slopes)
      const moving = direction.reduce((sum, sign) => sum + Math.abs(sign), 0)
      const length = moving > 0 ? size / moving : 0
      for (let i = 0; i < direction.length; i++) direction[i] = point[i] + length * direction[i]
      return threat.project(direction)
    },
    after(_, summit) {
      if (++step % period !== 0) return false
      const before = changed
      changed = changedPixels(summit.point, image)
      const sparser = changed < SPARSER * before
      size = sparser ? epsilon : Math.max(size / REDUCTION, epsilon / SMALLEST)
      return sparser
    },
  }
}

/** The signs of the `count` steepest slopes, the first of equals, and 0 elsewhere. */
function steepest(gradient: Float32Array, count: number, scratch: Float32Array): Float32Array {
  for (let i = 0; i < gradient.length; i++) scratch[i] = steepness(gradient[i])
  scratch.sort()
  const least = scratch[Math.max(0, scratch.length - count)]
  // Of equals no more than there is place for: ties would keep a direction from ever becoming sparser.
  let ties = count - (scratch.length - scratch.findLastIndex((slope) => slope <= least) - 1)
  return gradient.map((slope) => {
    const takes = steepness(slope) > least || (steepness(slope) === least && ties-- > 0)
    return takes && steepness(slope) > 0 ? Math.sign(slope) : 0
  })
}

/** Of NaN and the infinities none. */
function steepness(slope: number): number {
  return slope - slope === 0 ? Math.abs(slope) : 0
}

function changedPixels(point: Float32Array, image: Float32Array): number {
  let count = 0
  for (let i = 0; i < image.length; i++) if (point[i] !== image[i]) count++
  return count
}
