import type { AttackSpec, ThreatSpec } from '../config/types.js'
import type { Asking, AttackResult } from '../attacks/protocol.js'
import { predictionAt } from '../attacks/protocol.js'
import { imageDigest, randomSource } from '../attacks/random.js'
import { attackFor } from '../attacks/registry.js'
import { threatModel, type Bounds } from '../attacks/threat.js'
import type { AttackOutcome, ImageTask, SampleOutcome } from './messages.js'

/** What is done to every image. */
export interface AttackPlan {
  readonly threats: readonly ThreatSpec[]
  /** In the order of the suite. */
  readonly attacks: readonly AttackSpec[]
  readonly bounds: Bounds
  readonly seed: number
}

export interface ImageResult {
  readonly outcome: SampleOutcome
  /** By threat id, of the threats that broke the image: of its witnesses the one nearest to the image. */
  readonly witnesses: Readonly<Record<string, Float32Array>>
}

/**
 * The whole evaluation of one image, as one coroutine. The original says first what the clean image is; where it is
 * wrong there is nothing to attack. Then every attack runs under every threat; one marked `survivorsOnly` is left out
 * where an earlier attack of the suite has already broken the image under this threat.
 *
 * @param task pixels inside the plan's bounds
 */
export function* evaluateImage(task: ImageTask, plan: AttackPlan): Asking<ImageResult> {
  const { predicted } = yield* predictionAt(task.pixels)
  const image = { index: task.index, label: task.label, predicted }
  const threats: SampleOutcome['threats'] = {}
  const witnesses: Record<string, Float32Array> = {}

  if (predicted !== task.label) {
    for (const threat of plan.threats) threats[threat.id] = { robust: false, attacks: {} }
    return { outcome: { ...image, threats }, witnesses }
  }
  const digest = imageDigest(task.pixels)
  for (const threat of plan.threats) {
    const { outcome, witness } = yield* attackImage(task, threat, plan, digest)
    threats[threat.id] = outcome
    if (witness) witnesses[threat.id] = witness
  }
  return { outcome: { ...image, threats }, witnesses }
}

function* attackImage(
  { pixels, label }: ImageTask,
  spec: ThreatSpec,
  { attacks, bounds, seed }: AttackPlan,
  digest: Uint8Array,
): Asking<{ outcome: SampleOutcome['threats'][string]; witness?: Float32Array }> {
  const threat = threatModel(pixels, spec, bounds)
  const outcomes: Record<string, AttackOutcome> = {}
  let nearest: (AttackResult & { distance: number }) | undefined
  for (const attack of attacks) {
    if (attack.survivorsOnly && nearest) continue
    const result = yield* attackFor(attack, threat, label, randomSource(seed, digest, attack.id))
    const distance = threat.distance(result.point)
    outcomes[attack.id] = { success: result.success, predicted: result.predicted, distance }
    if (result.success && (!nearest || distance < nearest.distance)) nearest = { ...result, distance }
  }
  return { outcome: { robust: !nearest, attacks: outcomes }, witness: nearest?.point }
}
