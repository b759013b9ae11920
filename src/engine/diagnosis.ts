import { published } from '../config/attackSchemas.js'
import type { AttackSpec } from '../config/attackTypes.js'
import type { ThreatSpec } from '../config/types.js'
import { predictionsAt, replay, type Asking, type PredictionAnswer } from '../attacks/protocol.js'
import { randomSource } from '../attacks/random.js'
import { attackFor } from '../attacks/registry.js'
import type { Target } from '../attacks/target.js'
import { threatModel } from '../attacks/threat.js'
import { agrees } from '../onnx/settle.js'
import { needsGradient, type RunAttack } from './attacksRun.js'
import type { AttackPlan, ThreatResult } from './attackPlan.js'
import type { ImageTask } from './messages.js'
import { otherRanges } from './otherRanges.js'
import type { Sign } from './signs.js'

/** What is known of an image once the suite is through with it. */
export interface Found {
  readonly clean: PredictionAnswer
  /** By threat id; empty where the model was wrong from the start. */
  readonly found: Readonly<Record<string, ThreatResult>>
  readonly digest: Uint8Array
}

/**
 * Looks at one image more closely than the suite does, for what Athalye, Carlini and Wagner (2018, section 3.1) and
 * Carlini et al. (2019, section 5) tell masked gradients by: longer attacks, attacks without gradients, a ball so large
 * that every attack has to succeed, twice the ε; and for outputs that change and for pixels in another range.
 */
export function* diagnose(task: ImageTask, plan: AttackPlan, found: Found): Asking<readonly Sign[]> {
  const steady = yield* isSteady(task, found)
  if (found.clean.predicted !== task.label) {
    const right = yield* rangesThatAreRight(task, plan)
    return steady ? right : ['unstable-logits', ...right]
  }
  const probes = [moreSteps, gradientFree, hugeBall, doubleEpsilon]
  const signs: Sign[] = steady ? [] : ['unstable-logits']
  for (const probe of probes) {
    const sign = yield* probe(task, plan, found)
    if (sign !== undefined) signs.push(sign)
  }
  return signs
}

/**
 * An attack for survivors has no turn once search has broken an image, which is no evidence against gradients that were never
 * asked. So where search alone broke an image those of the suite's attacks with gradients that had no turn get it now, as the
 * suite itself would have run them. No other attack will do: one that is strong enough breaks models that mask theirs, too.
 */
export function* secondChance(task: ImageTask, plan: AttackPlan, found: Found): Asking<readonly Sign[]> {
  const beaten = plan.threats.filter(({ id }) => isBrokenBySearchAlone(plan, found.found[id]))
  for (const threat of beaten) if (!(yield* breaksWhenAsked(threat, task, plan, found))) return []
  return beaten.length > 0 ? ['gradients-break-too'] : []
}

function isBrokenBySearchAlone({ attacks }: AttackPlan, ran: ThreatResult | undefined): boolean {
  const ends = attacks.filter(({ id }) => ran !== undefined && Object.hasOwn(ran.results, id))
  const breaking = ends.filter(({ id }) => ran?.results[id].success)
  return breaking.length > 0 && !breaking.some(needsGradient) && ends.some(needsGradient)
}

function* breaksWhenAsked(threat: ThreatSpec, task: ImageTask, plan: AttackPlan, found: Found): Asking<boolean> {
  const { results } = found.found[threat.id]
  const untried = plan.attacks.filter((attack) => needsGradient(attack) && !Object.hasOwn(results, attack.id))
  for (const attack of untried) if (yield* breaks(attack, threat, task, plan, found)) return true
  return false
}

type Probe = (task: ImageTask, plan: AttackPlan, found: Found) => Asking<Sign | undefined>

/** Twice in one batch, or in two, with other neighbours than before. */
function* isSteady({ pixels }: ImageTask, { clean }: Found): Asking<boolean> {
  const answers = yield* predictionsAt([pixels, pixels])
  return answers.every(({ logits }) => agrees(logits, clean.logits))
}

function* rangesThatAreRight({ pixels, label }: ImageTask, plan: AttackPlan): Asking<readonly Sign[]> {
  const ranges = otherRanges(pixels, plan)
  const answers = yield* predictionsAt(ranges.map((range) => range.pixels))
  return ranges.filter((_, place) => answers[place].predicted === label).map(({ sign }) => sign)
}

/** Four times the steps of the suite's longest ascent, by smaller steps from another start. */
const LONGER = 4
const LEAST_STEPS = 40
const MOST_STEPS = 400

const moreSteps: Probe = function* (task, plan, found) {
  if (!plan.gradient) return undefined
  const steps = longerSteps(plan.attacks)
  // 2.5 ε / T reaches every point of the ball from every other (Madry et al. 2018).
  const longer = ascent('diagnosis-steps', steps, 2.5 / steps)
  for (const threat of robustUnder(plan, found))
    if (yield* breaks(longer, threat, task, plan, found)) return 'more-steps'
  return undefined
}

/** Steps of the longer ascent that a diagnosis makes under every threat. */
export function longerSteps(attacks: readonly RunAttack[]): number {
  const suite = attacks.filter(isAscent).map(({ steps }) => steps)
  return Math.min(MOST_STEPS, Math.max(LEAST_STEPS, LONGER * Math.max(0, ...suite)))
}

const QUERIES = 100

const gradientFree: Probe = function* (task, plan, found) {
  // A suite that has such attacks has more queries than this.
  if (!plan.attacks.every(needsGradient)) return undefined
  const square = published('square', { id: 'diagnosis-square', queries: QUERIES })
  for (const threat of robustUnder(plan, found))
    if (yield* breaks(square, threat, task, plan, found)) return 'gradient-free-wins'
  return undefined
}

/**
 * Half of the range in each pixel reaches the one grey image from everywhere. Where the model calls that one something
 * else than the label there is a witness, and an ascent that finds none has proved its gradients worthless. (Masked
 * gradients are no matter of a norm: Linf speaks for all.)
 */
const hugeBall: Probe = function* (task, plan, { found, digest }) {
  const results = Object.values(found).flatMap(({ results: ran }) => Object.entries(ran))
  const isWhiteBox = (id: string): boolean => plan.attacks.some((attack) => attack.id === id && needsGradient(attack))
  if (!plan.gradient || results.some(([id, { success }]) => success && isWhiteBox(id))) return undefined
  const [low, high] = plan.bounds
  const huge = { id: 'diagnosis-huge', norm: 'linf', epsilon: (high - low) / 2 } as const
  const target = targetUnder(huge, task, plan)
  const grey = target.threat.project(new Float32Array(task.pixels.length).fill((low + high) / 2))
  if (!(yield* replay(target, grey)).success) return undefined
  const { success } = yield* attackFor(ascent(huge.id, 20, 0.25), target, randomSource(plan.seed, digest, huge.id))
  return success ? undefined : 'robust-at-huge-epsilon'
}

/** The cheapest ascent of the suite, under the smallest ε it broke the image at: at twice that ε, from the beginning. */
const doubleEpsilon: Probe = function* (task, plan, found) {
  const [cheapest] = plan.attacks.filter(isAscent).toSorted((one, other) => one.steps - other.steps)
  if (cheapest === undefined) return undefined
  const broken = plan.threats
    .filter(({ id }) => found.found[id].results[cheapest.id]?.success)
    .toSorted((one, other) => one.epsilon - other.epsilon)
  const smallest = broken.filter(({ norm }, place) => broken.findIndex((threat) => threat.norm === norm) === place)
  for (const threat of smallest) {
    const doubled = { ...threat, epsilon: 2 * threat.epsilon }
    if (!(yield* breaks(cheapest, doubled, task, plan, found))) return 'unbroken-at-double-epsilon'
  }
  return undefined
}

type AscentSpec = Extract<RunAttack, { name: 'pgd' | 'bim' | 'mi-fgsm' | 'apgd' | 'apgd-t' }>

export function isAscent(attack: RunAttack): attack is AscentSpec {
  return ['pgd', 'bim', 'mi-fgsm', 'apgd', 'apgd-t'].includes(attack.name)
}

/** By the margin, which does not saturate where cross-entropy does. */
function ascent(id: string, steps: number, relativeStepSize: number): AttackSpec {
  return published('pgd', { id, loss: 'margin', steps, relativeStepSize })
}

function robustUnder({ threats }: AttackPlan, { found }: Found): readonly ThreatSpec[] {
  return threats.filter(({ id }) => !found[id].nearest)
}

function targetUnder(spec: ThreatSpec, { pixels, label }: ImageTask, plan: AttackPlan): Target {
  const threat = threatModel(pixels, spec, plan.bounds, { quantised: plan.quantised })
  return { threat, label, classes: plan.classes, shape: plan.shape, layout: plan.layout }
}

function* breaks(
  attack: AttackSpec,
  threat: ThreatSpec,
  task: ImageTask,
  plan: AttackPlan,
  { digest }: Found,
): Asking<boolean> {
  const random = randomSource(plan.seed, digest, attack.id)
  return (yield* attackFor(attack, targetUnder(threat, task, plan), random)).success
}
