import type { DdnSpec } from '../config/attackTypes.js'
import { NearestWitness } from './nearestWitness.js'
import { lengthOf } from './norms.js'
import { gradientAt, type Attack } from './protocol.js'
import type { Target } from './target.js'

/**
 * Decoupled direction and norm (Rony et al. 2019, algorithm 1): follows the gradient of the cross-entropy on a sphere around
 * the image whose radius shrinks by γ after every iterate that fools and grows by γ after every other one. Lengths are in
 * units of the range's width. The step size falls from 1 to 0.01 along a cosine.
 */
export function* ddn(target: Target, { steps, initialEpsilon, gamma }: DdnSpec): Attack {
  const { threat, label } = target
  const { image, low, high } = threat
  const search = new NearestWitness(target)
  const farthest = lengthOf(
    'l2',
    image.map((pixel) => Math.max(pixel - low, high - pixel)),
  )
  let radius = initialEpsilon * (high - low)
  let point = image
  for (let step = 0; step < steps; step++) {
    const { logits, gradient } = yield* gradientAt(point, { name: 'cross-entropy', label })
    const fooled = yield* search.consider(point, logits)
    const length = lengthOf('l2', gradient)
    if (!(length > 0 && length < Infinity)) break

    const stepSize = (0.01 + 0.99 * ((1 + Math.cos((Math.PI * step) / steps)) / 2)) * (high - low)
    const change = Float64Array.from(image, (pixel, i) => point[i] - pixel + (stepSize / length) * gradient[i])
    radius = Math.min(farthest, radius * (fooled ? 1 - gamma : 1 + gamma))
    const scale = radius / Math.max(lengthOf('l2', change), 1e-12)
    point = image.map((pixel, i) => Math.min(high, Math.max(low, pixel + scale * change[i])))
  }
  yield* search.offer(point)
  yield* search.shorten()
  return yield* search.end(point)
}
