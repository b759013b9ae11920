import type { ThreatSpec } from '../config/types.js'
import type { Asking } from '../attacks/protocol.js'
import { predictionAt } from '../attacks/protocol.js'
import { imageDigest, randomSource } from '../attacks/random.js'
import { attackFor } from '../attacks/registry.js'
import { threatModel } from '../attacks/threat.js'
import type { AttackPlan, MeasuredResult, ThreatResult } from './attackPlan.js'
import { diagnose, secondChance } from './diagnosis.js'
import type { AttackOutcome, ImageTask, SampleOutcome } from './messages.js'
import type { Sign } from './signs.js'
import { breaksWithin, hasItsTurn, knownEnd, withNearer } from './smallerBalls.js'
import { GradientWatch } from './watch.js'

export interface ImageResult {
  readonly outcome: SampleOutcome
  /** By threat id, of the threats that broke the image: of its witnesses the one nearest to the image. */
  readonly witnesses: Readonly<Record<string, Float32Array>>
}

/**
 * The whole evaluation of one image, as one coroutine. The original says first what the clean image is; where it is
 * wrong there is nothing to attack. Then every attack runs under every threat; one marked `survivorsOnly` is left out
 * where an earlier attack of the suite has already broken the image under this threat, or any has under a smaller ε. Where
 * search alone broke it, those with gradients that were left out have their turn after the suite, and marked images are diagnosed
 * last: both add signs, and leave the results of the suite alone.
 *
 * @param task pixels inside the plan's bounds
 */
export function* evaluateImage(task: ImageTask, plan: AttackPlan): Asking<ImageResult> {
  const clean = yield* predictionAt(task.pixels)
  const classes = clean.logits.length
  const image = { index: task.index, label: task.label, predicted: sayable(clean.predicted, task.label, classes) }
  const threats: SampleOutcome['threats'] = {}
  const witnesses: Record<string, Float32Array> = {}
  const found: Record<string, ThreatResult> = {}
  const watch = new GradientWatch()

  const digest = imageDigest(task.pixels)
  const answered: Record<string, Answered> = {}
  const right = clean.predicted === task.label
  // What breaks at one ε breaks at every larger one: the smallest goes first.
  for (const threat of plan.threats.toSorted((one, other) => one.epsilon - other.epsilon)) {
    if (!right) continue
    const known = (answered[threat.norm] ??= {})
    found[threat.id] = yield* watch.over(attackImage(task, threat, plan, { digest, known }))
    const { results, nearest } = found[threat.id]
    const attacks = Object.entries(results).map(([id, result]): [string, AttackOutcome] => {
      const { success, predicted, distance, nearest: least } = result
      const outcome = { success, predicted: sayable(predicted, task.label, classes), distance }
      return [id, { ...outcome, ...(least && { nearest: least.distance }) }]
    })
    threats[threat.id] = { robust: !nearest, attacks: Object.fromEntries(attacks) }
    if (nearest) witnesses[threat.id] = nearest.point
  }
  if (!right) for (const { id } of plan.threats) threats[id] = { robust: false, attacks: {} }

  const signs = new Set([
    ...ownSigns(task, plan, clean.predicted, found),
    ...watch.signs(Object.values(threats).some(({ robust }) => robust)),
    ...(yield* secondChance(task, plan, { clean, found, digest })),
    ...(task.diagnose ? yield* diagnose(task, plan, { clean, found, digest }) : []),
  ])
  return { outcome: { ...image, threats, ...(signs.size > 0 && { signs: [...signs].toSorted() }) }, witnesses }
}

/** What smaller balls of the same norm have already answered, by attack. */
type Answered = Record<string, MeasuredResult>

/** The suite under one threat. */
function* attackImage(
  { pixels, label }: ImageTask,
  spec: ThreatSpec,
  { attacks, bounds, seed, quantised, ...model }: AttackPlan,
  { digest, known }: { readonly digest: Uint8Array; readonly known: Answered },
): Asking<ThreatResult> {
  const threat = threatModel(pixels, spec, bounds, { quantised })
  const target = { threat, label, classes: model.classes, shape: model.shape, layout: model.layout }
  const ends = Object.entries(known)
  const breaking = ends.filter(([, { success, nearest }]) => breaksWithin(success, nearest?.distance, spec.epsilon))
  const brokenBy = new Set(breaking.map(([id]) => id))
  const results: Record<string, MeasuredResult> = {}
  let nearest: MeasuredResult | undefined
  for (const attack of attacks) {
    if (!hasItsTurn(attack, nearest !== undefined, brokenBy)) continue
    const before = known[attack.id]
    const end =
      (yield* knownEnd(attack, target, before, { quantised })) ??
      withNearer(yield* attackFor(attack, target, randomSource(seed, digest, attack.id)), before)
    const result = { ...end, distance: threat.distance(end.point) }
    results[attack.id] = result
    known[attack.id] = result
    if (result.success && !(nearest && nearest.distance <= result.distance)) nearest = result
  }
  return { results, nearest }
}

/** A model that says none of its classes (NaN everywhere) is wrong; results hold the first wrong class for it. */
function sayable(predicted: number, label: number, classes: number): number {
  if (predicted < classes) return predicted
  return label === 0 ? 1 : 0
}

/** A fiftieth: pixels of 0 … 1 that were declared as 0 … 255 lie within a 255th, and no picture that shows something does. */
const NARROW = 1 / 50

/** What shows without a question. */
function ownSigns(
  { pixels }: ImageTask,
  { bounds, classes }: AttackPlan,
  predicted: number,
  found: Readonly<Record<string, ThreatResult>>,
): readonly Sign[] {
  const results = Object.values(found).flatMap(({ results: ran }) => Object.values(ran))
  const speechless = predicted === classes || results.some((result) => result.predicted === classes)
  const survived = Object.values(found).filter(({ nearest }) => !nearest)
  const rising = survived.some(({ results: ran }) => Object.values(ran).some((result) => result.rising))
  let [least, greatest] = [Infinity, -Infinity]
  for (const pixel of pixels) {
    if (pixel < least) least = pixel
    if (pixel > greatest) greatest = pixel
  }
  return [
    ...(speechless ? (['no-prediction'] as const) : []),
    ...(rising ? (['loss-rising'] as const) : []),
    ...(greatest - least < NARROW * (bounds[1] - bounds[0]) ? (['narrow-pixels'] as const) : []),
  ]
}
