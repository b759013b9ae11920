import type { FabSpec, FabTargetedSpec } from '../config/attackTypes.js'
import { nearestDecisionPlane } from './decisionPlane.js'
import { stepToHyperplane, type Hyperplane } from './hyperplane.js'
import { between, NearestWitness } from './nearestWitness.js'
import { lengthOf } from './norms.js'
import type { Asking, Attack } from './protocol.js'
import type { Random, RandomSource } from './random.js'
import { randomDirection } from './randomDirection.js'
import { likeliestRivals, rivalsOf } from './rivals.js'
import type { Target } from './target.js'
import type { ThreatModel } from './threat.js'
import { together } from './together.js'

/**
 * Fast adaptive boundary attack (Croce and Hein, ICML 2020, algorithm 1): the least distance, towards whichever class is
 * nearest at each step. Every step asks for the gradient of every class.
 */
export function* fab(target: Target, spec: FabSpec, random: RandomSource): Attack {
  const search = new NearestWitness(target)
  const rivals = rivalsOf(target.label, target.classes)
  let last = target.threat.image
  for (let restart = 0; restart < spec.restarts; restart++)
    last = yield* descent(target, spec, { rivals, search, restart, random: random(restart, 0) })
  yield* search.shorten()
  return yield* search.end(last)
}

/**
 * FAB towards one class after another, those most likely at the clean image (FAB-T, Croce and Hein, ICML 2020 on AutoAttack,
 * section 4): one gradient a step, however many classes there are.
 */
export function* fabTargeted(target: Target, spec: FabTargetedSpec, random: RandomSource): Attack {
  const search = new NearestWitness(target)
  const rivals = yield* likeliestRivals(target, spec.targets)
  let last = target.threat.image
  for (let restart = 0; restart < spec.restarts; restart++) {
    const descents = rivals.map((rival, rank) =>
      descent(target, spec, { rivals: [rival], search, restart, random: random(restart, rank) }),
    )
    last = (yield* together(descents, sideBySide(last.length)))[0]
  }
  yield* search.shorten()
  return yield* search.end(last)
}

/** Nine points of 12,288 pixels are little beside a batch's activations; of larger images fewer are kept. */
function sideBySide(pixels: number): number {
  return Math.max(1, Math.floor(2 ** 17 / pixels))
}

interface Descent {
  readonly rivals: readonly number[]
  readonly search: NearestWitness
  readonly restart: number
  readonly random: Random
}

/** One start. Returns its last iterate. */
function* descent(
  target: Target,
  { steps, alphaMax, eta, beta }: FabSpec | FabTargetedSpec,
  { rivals, search, restart, random }: Descent,
): Asking<Float32Array> {
  const { threat } = target
  let point = restart === 0 ? threat.image : randomStart(threat, Math.min(search.distance, threat.epsilon) / 2, random)
  for (let step = 0; step < steps; step++) {
    const plane = yield* nearestDecisionPlane(target, point, rivals)
    if (!plane) break
    const next = boundaryStep(threat, point, plane, { alphaMax, eta })
    const fooled = yield* search.offer(next)
    // Without a gradient it would stand where it stands for all the steps that are left.
    if (!fooled && next.every((pixel, i) => pixel === point[i])) break
    point = fooled ? between(threat.image, next, beta) : next
  }
  return point
}

/**
 * (1 − α)(x + η d) + α(x₀ + η d₀), with d and d₀ the shortest steps from the iterate x and from the image x₀ onto the
 * hyperplane: the nearer x₀ would have got there, the more it counts (eqs. 8 and 9).
 */
function boundaryStep(
  { norm, image, low, high }: ThreatModel,
  point: Float32Array,
  plane: Hyperplane,
  { alphaMax, eta }: { readonly alphaMax: number; readonly eta: number },
): Float32Array {
  let way = 0
  for (let i = 0; i < point.length; i++) way += plane.normal[i] * (point[i] - image[i])
  const step = stepToHyperplane(norm, point, plane, low, high)
  const fromImage = stepToHyperplane(norm, image, { normal: plane.normal, gap: plane.gap + way }, low, high)
  const length = Math.max(lengthOf(norm, step), 1e-8)
  const alpha = Math.min(length / (length + Math.max(lengthOf(norm, fromImage), 1e-8)), alphaMax)
  const next = new Float32Array(point.length)
  for (let i = 0; i < point.length; i++) {
    const moved = (1 - alpha) * (point[i] + eta * step[i]) + alpha * (image[i] + eta * fromImage[i])
    next[i] = Math.min(high, Math.max(low, moved))
  }
  return next
}

/** A point in a random direction at the given distance, clipped to the bounds (section 3.2). */
function randomStart({ norm, image, low, high }: ThreatModel, radius: number, random: Random): Float32Array {
  const direction = randomDirection(norm, image.length, random)
  return image.map((pixel, i) => Math.min(high, Math.max(low, pixel + radius * direction[i])))
}
