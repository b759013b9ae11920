import type { OriginalFacts, Surrogate } from '../autodiff/surrogate.js'
import type { AttackSpec } from '../config/attackTypes.js'
import { flagMessage } from './flagTable.js'
import type { Flag } from './messages.js'
import type { Optimisation } from './session.js'

/**
 * What is to be said of a model once it is loaded, before anything is attacked.
 *
 * @param found.obstacle what keeps its gradient from being made; undefined when nothing does
 * @param found.optimisation with which it is run
 */
export function flagsOfModel(found: {
  readonly facts: OriginalFacts | Surrogate
  readonly obstacle?: string
  readonly optimisation: Optimisation
  readonly attacks: readonly AttackSpec[]
}): readonly Flag[] {
  const { facts, obstacle, optimisation, attacks } = found
  const fault =
    optimisation === 'sums apart'
      ? 'A LayerNormalization without a bias crashes onnxruntime where its third input is there with an empty name'
      : 'Optimised by onnxruntime the model does not compute what its file says'
  const rewritten = `${fault}, so it was run without the optimisations that do it`
  const missing = `The gradient of the model cannot be made (${obstacle}), so only attacks that need none were run`
  return [
    ...inherent(facts, attacks, obstacle),
    ...(obstacle === undefined && 'straightThrough' in facts ? ofTheGradient(facts) : []),
    ...(obstacle === undefined ? [] : [flag('no-gradient-rule', missing)]),
    ...(optimisation === 'all' ? [] : [flag('runtime-optimisation', rewritten)]),
  ]
}

function inherent(
  facts: OriginalFacts | Surrogate,
  attacks: readonly AttackSpec[],
  obstacle: string | undefined,
): readonly Flag[] {
  const mixed = 'What the model says of an image depends on the other images of its batch'
  return [
    ...(facts.chance.length > 0 ? [randomness(facts, attacks, obstacle)] : []),
    ...(facts.batchDependent ? [flag('batch-dependent', mixed)] : []),
  ]
}

function randomness(
  facts: OriginalFacts | Surrogate,
  attacks: readonly AttackSpec[],
  obstacle: string | undefined,
): Flag {
  const code = 'randomness'
  const draws = `The model draws numbers (${facts.chance.join(', ')}): an image may be right in one run and wrong in the next, and results differ from run to run`
  // Where it has no gradient, that is what is to be mended first.
  if (obstacle !== undefined) return { code, message: `${draws}.` }
  if (drawsAlike(facts))
    return {
      code,
      message: `${draws}. Its gradients cannot be averaged, for they are made without that noise or with one draw for a whole batch: export the model without the randomness.`,
    }
  // Whoever averages gradients has done what there is to do.
  const averaged = attacks.some((attack) => 'eot' in attack && attack.eot > 1)
  return averaged ? { code, message: `${draws}.` } : flag(code, draws)
}

/** The model draws numbers, and gradients at one point are equal all the same: their mean is as good as one of them. */
export function drawsAlike(facts: OriginalFacts | Surrogate): boolean {
  return facts.chance.length > 0 && 'drawsApart' in facts && !facts.drawsApart
}

function ofTheGradient({ straightThrough: operators, unknownSteps }: Surrogate): readonly Flag[] {
  const found = `The model is flat between steps (${operators.join(', ')}): attacks follow the gradient of a smooth stand-in; the model itself decides whether they succeed`
  const guessed =
    'The model ends with whole numbers and does not say how much one of them is: that was guessed, and cross-entropy may be too flat to lead an attack'
  return [
    ...(operators.length > 0 ? [flag('straight-through', found)] : []),
    ...(unknownSteps ? [flag('unknown-steps', guessed)] : []),
  ]
}

function flag(code: Parameters<typeof flagMessage>[0], found: string): Flag {
  return { code, message: flagMessage(code, found) }
}
