import type { ApgdSpec, ApgdTargetedSpec } from '../config/attackTypes.js'
import { ascend, type Ascent, type Pace, type Summit } from './ascent.js'
import type { Loss } from './losses.js'
import { momentumPace } from './momentumPace.js'
import { replay, type Asking, type Attack } from './protocol.js'
import type { Random, RandomSource } from './random.js'
import { randomDirection } from './randomDirection.js'
import { likeliestRivals } from './rivals.js'
import { sparsePace } from './sparsePace.js'
import type { Target } from './target.js'
import { threatModel, type ThreatModel } from './threat.js'

/**
 * Auto-PGD (Croce and Hein 2020, algorithm 1; under L1: Croce and Hein 2021, algorithm 1), with restarts until one finds a
 * witness. Without one the result is the point of highest loss of them all.
 */
export function* apgd(target: Target, spec: ApgdSpec, random: RandomSource): Attack {
  const loss = { name: spec.loss, label: target.label }
  const losses = new Array<Loss>(spec.restarts[target.threat.norm]).fill(loss)
  return yield* fromEachStart(target, spec, losses, random)
}

/**
 * Auto-PGD on the targeted DLR loss (Croce and Hein 2020, eq. 7), towards one class after another: first those that the
 * surrogate finds most likely, besides the label, on the clean image.
 */
export function* apgdTargeted(target: Target, spec: ApgdTargetedSpec, random: RandomSource): Attack {
  const { norm } = target.threat
  const rivals = yield* likeliestRivals(target, spec.targets[norm])
  const losses = rivals.flatMap((rival): readonly Loss[] =>
    new Array<Loss>(spec.restarts[norm]).fill({ name: 'targeted-dlr', label: target.label, target: rival }),
  )
  return yield* fromEachStart(target, spec, losses, random)
}

type AutoPgdSpec = Pick<ApgdSpec, 'steps' | 'rho' | 'eot' | 'largerBalls'>

/** One ascent for each of the losses, each from a random start of its own, up to the first witness. */
function* fromEachStart(target: Target, spec: AutoPgdSpec, losses: readonly Loss[], random: RandomSource): Attack {
  let highest: Ascent | undefined
  const climb = spec.largerBalls || target.threat.norm === 'l1' ? throughLargerBalls : fromTheSurface
  for (const [restart, loss] of losses.entries()) {
    const ascent = yield* climb(target, spec, loss, random(restart, 0))
    if (ascent.witness) return ascent.witness
    if (!highest || ascent.summit.loss > highest.summit.loss) highest = ascent
  }
  const result = yield* replay(target, highest?.summit.point ?? target.threat.image)
  return highest?.rising ? { ...result, rising: true } : result
}

function* fromTheSurface(target: Target, spec: AutoPgdSpec, loss: Loss, random: Random): Asking<Ascent> {
  const { threat } = target
  return yield* ascend({ ...spec, loss, start: firstPoint(threat, random), target, paceFrom: paceIn(threat, spec) })
}

/**
 * A start is looked for in larger balls: 30 % of the steps at 3ε, 30 % at 2ε, each from the summit of the one before,
 * projected (Croce and Hein 2021, section 4, where it is L1's). Only points of the ball itself are witnesses.
 */
function* throughLargerBalls(target: Target, spec: AutoPgdSpec, loss: Loss, random: Random): Asking<Ascent> {
  const { threat } = target
  const early = Math.min(Math.ceil((3 * spec.steps) / 10), Math.floor((spec.steps - 1) / 2))
  const balls = early === 0 ? [] : [3, 2].map((factor) => widened(threat, factor))
  let start = firstPoint(balls[0] ?? threat, random)
  for (const ball of balls) ({ point: start } = (yield* ascend(within(ball, early))).summit)
  return yield* ascend({ ...within(threat, spec.steps - 2 * early), target })

  function within(ball: ThreatModel, steps: number) {
    return { ...spec, steps, loss, start: ball.project(start), paceFrom: paceIn(ball, { ...spec, steps }) }
  }
}

function widened({ image, norm, epsilon, low, high }: ThreatModel, factor: number): ThreatModel {
  return threatModel(image, { norm, epsilon: factor * epsilon }, [low, high])
}

/** In a random direction on the surface, clipped to the bounds; under L1 a normal point, projected. */
function firstPoint({ norm, image, epsilon, project }: ThreatModel, random: Random): Float32Array {
  if (norm === 'l1') return project(image.map((pixel) => pixel + random.gaussian()))
  const direction = randomDirection(norm, image.length, random)
  return project(image.map((pixel, i) => pixel + epsilon * direction[i]))
}

function paceIn(threat: ThreatModel, settings: Pick<ApgdSpec, 'steps' | 'rho'>): (start: Summit) => Pace {
  return (start) => (threat.norm === 'l1' ? sparsePace : momentumPace)(threat, start, settings)
}
