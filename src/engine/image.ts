import type { AttackSpec } from '../config/attackTypes.js'
import type { Layout, ThreatSpec } from '../config/types.js'
import type { Asking, AttackResult } from '../attacks/protocol.js'
import { predictionAt } from '../attacks/protocol.js'
import { imageDigest, randomSource } from '../attacks/random.js'
import { attackFor } from '../attacks/registry.js'
import { threatModel, type Bounds } from '../attacks/threat.js'
import { watchGradients, type GradientWatch } from './watch.js'
import type { AttackOutcome, Flag, ImageTask, SampleOutcome } from './messages.js'

/** What is done to every image. */
export interface AttackPlan {
  readonly threats: readonly ThreatSpec[]
  /** In the order of the suite. */
  readonly attacks: readonly AttackSpec[]
  readonly bounds: Bounds
  readonly seed: number
  readonly classes: number
  /** Of one image, in `layout`. */
  readonly shape: readonly number[]
  readonly layout: Layout
  /** Only points of 8 bits count as witnesses. */
  readonly quantised: boolean
}

export interface ImageResult {
  readonly outcome: SampleOutcome
  /** By threat id, of the threats that broke the image: of its witnesses the one nearest to the image. */
  readonly witnesses: Readonly<Record<string, Float32Array>>
  readonly flags: readonly Flag[]
}

/**
 * The whole evaluation of one image, as one coroutine. The original says first what the clean image is; where it is
 * wrong there is nothing to attack. Then every attack runs under every threat; one marked `survivorsOnly` is left out
 * where an earlier attack of the suite has already broken the image under this threat.
 *
 * @param task pixels inside the plan's bounds
 */
export function* evaluateImage(task: ImageTask, plan: AttackPlan): Asking<ImageResult> {
  const clean = yield* predictionAt(task.pixels)
  const classes = clean.logits.length
  const image = { index: task.index, label: task.label, predicted: sayable(clean.predicted, task.label, classes) }
  const threats: SampleOutcome['threats'] = {}
  const witnesses: Record<string, Float32Array> = {}
  let speechless = clean.predicted === classes
  const watch: GradientWatch = { asked: 0, useful: false }

  const digest = imageDigest(task.pixels)
  const answered: Record<string, Answered> = {}
  const right = clean.predicted === task.label
  // What breaks at one ε breaks at every larger one: the smallest goes first.
  for (const threat of plan.threats.toSorted((one, other) => one.epsilon - other.epsilon)) {
    if (!right) continue
    const known = (answered[threat.norm] ??= {})
    const { results, nearest } = yield* watchGradients(attackImage(task, threat, plan, { digest, known }), watch)
    const attacks = Object.entries(results).map(([id, result]): [string, AttackOutcome] => {
      const { success, predicted, distance, nearest: least } = result
      speechless ||= predicted === classes
      const outcome = { success, predicted: sayable(predicted, task.label, classes), distance }
      return [id, { ...outcome, ...(least && { nearest: least.distance }) }]
    })
    threats[threat.id] = { robust: !nearest, attacks: Object.fromEntries(attacks) }
    if (nearest) witnesses[threat.id] = nearest.point
  }
  if (!right) for (const { id } of plan.threats) threats[id] = { robust: false, attacks: {} }
  const untested = watch.asked > 0 && !watch.useful && Object.values(threats).some(({ robust }) => robust)
  const flags = [...(speechless ? [speechlessFlag(task.index)] : []), ...(untested ? [noGradientFlag(task.index)] : [])]
  return { outcome: { ...image, threats }, witnesses, flags }
}

interface MeasuredResult extends AttackResult {
  readonly distance: number
}

/** What smaller balls of the same norm have already answered, by attack. */
type Answered = Record<string, MeasuredResult>

/** One threat: what each attack ended with by its id, and of the witnesses the one nearest to the image. */
function* attackImage(
  { pixels, label }: ImageTask,
  spec: ThreatSpec,
  { attacks, bounds, seed, quantised, ...model }: AttackPlan,
  { digest, known }: { readonly digest: Uint8Array; readonly known: Answered },
): Asking<{ results: Readonly<Record<string, MeasuredResult>>; nearest?: MeasuredResult }> {
  const threat = threatModel(pixels, spec, bounds, { quantised })
  const target = { threat, label, classes: model.classes, shape: model.shape, layout: model.layout }
  const results: Record<string, MeasuredResult> = {}
  let nearest: MeasuredResult | undefined
  for (const attack of attacks) {
    if (attack.survivorsOnly && nearest) continue
    const before = known[attack.id] && successWithin(known[attack.id], spec.epsilon)
    const end = before ?? (yield* attackFor(attack, target, randomSource(seed, digest, attack.id)))
    const result = { ...end, distance: threat.distance(end.point) }
    results[attack.id] = result
    known[attack.id] = result
    if (result.success && !(nearest && nearest.distance <= result.distance)) nearest = result
  }
  return { results, nearest }
}

/** A smaller ball's answer as one of a larger ball, if it is one: a witness stays one, and some lay beyond the small ball. */
function successWithin(result: MeasuredResult, epsilon: number): AttackResult | undefined {
  if (result.success) return result
  const { nearest } = result
  return nearest && nearest.distance <= epsilon ? { ...result, ...nearest, success: true } : undefined
}

/** A model that says none of its classes (NaN everywhere) is wrong; results hold the first wrong class for it. */
function sayable(predicted: number, label: number, classes: number): number {
  if (predicted < classes) return predicted
  return label === 0 ? 1 : 0
}

function speechlessFlag(index: number): Flag {
  return {
    code: 'no-prediction',
    message: 'Every output of the model was NaN, on the image or under attack; this counts as a wrong prediction.',
    samples: [index],
  }
}

function noGradientFlag(index: number): Flag {
  return {
    code: 'no-gradient',
    message:
      'Every gradient that the attacks were given was zero, NaN or infinite, so these images were hardly tested: attack with another loss (margin), and look for steps without a derivative and for outputs that saturate.',
    samples: [index],
  }
}
