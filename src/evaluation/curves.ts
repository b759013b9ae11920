import type { Norm } from '../config/types.js'
import type { SampleOutcome } from '../engine/messages.js'
import type { Results } from './results.js'

export type Curve = NonNullable<NonNullable<Results['summary']['curves']>[Norm]>

type Ball = Pick<Results['threats'][number], 'id' | 'norm' | 'epsilon'>

/** A curve of more points is no easier to read, and every results file and comparison carries it. */
const MOST_POINTS = 100

const NORMS: readonly Norm[] = ['linf', 'l2', 'l1']

/**
 * Accuracy as a function of ε, for each norm of which more than one ε is known: several were attacked, or an attack looked
 * for the least distance (FAB, DeepFool, Carlini-Wagner, DDN). Of each image that is right d is the least distance at
 * which any attack of that norm fooled the model, in the ball or beyond; curve(ε) is the share of all images that are right
 * and have d > ε. It never rises, and is an upper bound of robust accuracy at every ε: no attack proves that there is
 * nothing nearer.
 */
export function curvesOf(samples: readonly SampleOutcome[], threats: readonly Ball[]): Results['summary']['curves'] {
  const curves = NORMS.flatMap((norm): (readonly [Norm, Curve])[] => {
    const balls = threats.filter((threat) => threat.norm === norm)
    if (balls.length < 2 && !samples.some((sample) => hasNearest(sample, balls))) return []
    return [[norm, curveOf(samples, balls)]]
  })
  return curves.length === 0 ? undefined : Object.fromEntries(curves)
}

/** Fraction of all images that are right and not known to be fooled within `epsilon`; between two points, that of the lower. */
export function accuracyAt({ points }: Curve, epsilon: number): number {
  return points.findLast((point) => point.epsilon <= epsilon)?.accuracy ?? points[0].accuracy
}

function curveOf(samples: readonly SampleOutcome[], balls: readonly Ball[]): Curve {
  const right = samples.filter(({ label, predicted }) => label === predicted)
  const distances = right.map((sample) => leastDistance(sample, balls)).filter(Number.isFinite)
  distances.sort((one, other) => one - other)
  const asked = balls.map(({ epsilon }) => epsilon)
  const steps = thinned([...new Set(distances)], MOST_POINTS - 1 - asked.length)
  const epsilons = [...new Set([0, ...asked, ...steps])].sort((one, other) => one - other)
  let fooled = 0
  const points = epsilons.map((epsilon) => {
    while (distances[fooled] <= epsilon) fooled++
    return { epsilon, accuracy: (right.length - fooled) / samples.length }
  })
  const median = distances.at(Math.ceil(right.length / 2) - 1)
  const half = 2 * distances.length >= right.length && right.length > 0
  return { points, fooled: distances.length, ...(half && median !== undefined && { medianDistance: median }) }
}

/** Of values in order so many, evenly spread and with the last: each that is left keeps its exact accuracy. */
function thinned(values: readonly number[], count: number): readonly number[] {
  if (values.length <= count) return values
  return Array.from({ length: count }, (_, place) => values[Math.ceil(((place + 1) * values.length) / count) - 1])
}

function leastDistance(sample: SampleOutcome, balls: readonly Ball[]): number {
  return Math.min(
    ...outcomesOf(sample, balls).flatMap(({ success, distance, nearest = Infinity }) => [
      success ? distance : Infinity,
      nearest,
    ]),
  )
}

function hasNearest(sample: SampleOutcome, balls: readonly Ball[]): boolean {
  return outcomesOf(sample, balls).some(({ nearest }) => nearest !== undefined)
}

function outcomesOf({ threats }: SampleOutcome, balls: readonly Ball[]) {
  return balls.flatMap(({ id }) => Object.values(threats[id]?.attacks ?? {}))
}
