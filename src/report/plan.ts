import { count, percent, threatTitle } from '../comparison/text.js'
import type { Absence } from '../comparison/types.js'
import { isDemanded, lack } from '../comparison/verdict.js'
import type { Config } from '../config/types.js'
import type { Trial } from '../evaluation/trial.js'
import { plain } from './escape.js'

/** What a run would do, found out by a dry run. */
export interface Plan {
  readonly data: {
    readonly name: string
    readonly samples: number
    readonly shape: readonly number[]
    readonly range: readonly [number, number]
  }
  /** Those to be attacked: all, or a shard's. */
  readonly images: number
  readonly suite: Config['suite']
  readonly threats: Config['threats']
  readonly seed: number
  readonly quantised: boolean
  /** Seconds that the evaluation of one model may take. */
  readonly timeLimit: number
  /** In the order in which they are evaluated; none where that is spared. */
  readonly models: readonly PlannedModel[]
  /** Of a baseline that is not evaluated, why; undefined where it is, or where none is asked for. */
  readonly baseline?: Absence | { readonly state: 'results' | 'unchanged' | 'spared' }
  /** What becomes of a model that is compared with nothing. */
  readonly policy: Pick<Config['policy'], 'onMissingBaseline' | 'failOn'>
}

export interface PlannedModel {
  readonly role: 'candidate' | 'baseline'
  readonly name: string
  readonly trial: Trial
  readonly workers: number
  /** Ids of the attacks that are run, without those that need a gradient where there is none. */
  readonly attacks: readonly string[]
  /** Upper bounds, all images together. */
  readonly gradients: number
  readonly forwards: number
  /** For those many, by the time one batch took. */
  readonly seconds: number
}

/** A plan for a log, one fact a line. Text of others is made plain. No newline at its end. */
export function planText(plan: Plan): string {
  const { data, images, suite, threats, seed, quantised, models, baseline, policy } = plan
  const seconds = models.reduce((sum, model) => sum + model.seconds, 0)
  const of = images === data.samples ? '' : ` of ${count(data.samples)}`
  return [
    `Dry run: ${usability(baseline)}. Nothing was attacked.`,
    `Data: ${plain(data.name, 120)}, ${count(images)}${of} images of ${data.shape.join(' × ')}, pixels in ${data.range.join(' … ')}`,
    `Suite: ${plain(suite.name, 60)}@${suite.version} (${suite.attacks.map(({ id }) => plain(id, 60)).join(', ')}), seed ${seed}`,
    `Threats: ${threats.map(threatTitle).join(', ')}${quantised ? ', only points of 8 bits' : ''}`,
    ...models.flatMap((model) => modelLines(model, plan)),
    ...(baseline === undefined ? [] : [`Baseline: ${baselineText(baseline, policy)}`]),
    `All in all: ${baseline?.state === 'spared' ? 'seconds' : `at most about ${duration(seconds)}`}`,
  ].join('\n')
}

function usability(baseline: Plan['baseline']): string {
  switch (baseline?.state) {
    case 'broken':
    case 'different':
      return 'config, data and candidate can be used, the baseline cannot'
    case 'spared':
      return 'config and data can be used; the model was not looked into'
    default:
      return 'config, data and models can be used'
  }
}

function baselineText(baseline: NonNullable<Plan['baseline']>, policy: Plan['policy']): string {
  switch (baseline.state) {
    case 'results':
      return 'results of an earlier evaluation, made under the same conditions; nothing to run'
    case 'unchanged':
      return 'the same model, so it is evaluated once'
    case 'spared':
      return 'the same model, so the gate attacks nothing, and it passes'
    case 'none':
      return 'not wanted; only absolute limits apply'
    default:
      return `${plain(lack(baseline), 600)}: ${ruling(baseline, policy)}`
  }
}

/** In the words of the settings that decide. */
function ruling(absence: Absence, { onMissingBaseline, failOn }: Plan['policy']): string {
  const setting = `on-missing-baseline${onMissingBaseline === undefined ? ', by default' : ''}`
  if (!isDemanded(absence, { onMissingBaseline }))
    return `nothing is compared, and the model passes unless an absolute limit fails it (${setting}: pass)`
  const failing = failOn === 'never' ? 'ends inconclusive, which fails no job (fail-on: never)' : 'fails'
  return `nothing is compared, and the gate ${failing} (${setting}: fail)`
}

function modelLines({ role, name, trial, ...planned }: PlannedModel, { images, timeLimit }: Plan): readonly string[] {
  const title = role === 'candidate' ? 'Candidate' : 'Baseline'
  const { secondsPerGradient, secondsPerForward, right, batch } = trial
  const each =
    secondsPerGradient === undefined
      ? `${milliseconds(secondsPerForward)} a prediction; it has no gradient, so only ${planned.attacks.map((id) => plain(id, 60)).join(', ')} are run`
      : `${milliseconds(secondsPerGradient)} a gradient, ${milliseconds(secondsPerForward)} a prediction`
  const late =
    planned.seconds > timeLimit
      ? [
          `  Warning: that may be over its time limit of ${duration(timeLimit)}; use fewer samples or a longer time-limit`,
        ]
      : []
  return [
    `${title}: ${plain(name, 120)}, ${count(trial.classes)} classes; right on ${count(right)} of the first ${count(trial.images)} images (${percent(right / trial.images)})`,
    `  ${each} (measured in batches of ${batch})`,
    `  At most ${count(planned.gradients)} gradients and ${count(planned.forwards)} predictions for ${count(images)} images, by ${workers(planned.workers)}: at most about ${duration(planned.seconds)}, less for images that break`,
    ...late,
    ...trial.flags.map(({ message }) => `  Note: ${plain(message)}`),
  ]
}

function workers(number: number): string {
  return number === 1 ? '1 worker' : `${number} workers`
}

function milliseconds(seconds: number): string {
  return `${(1000 * seconds).toPrecision(2)} ms`
}

/** `1 s`, `3 min`, `2.5 h`: no more precise than an estimate is. */
export function duration(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.ceil(seconds))} s`
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}
