import { count } from '../comparison/text.js'
import type { Comparison } from '../comparison/types.js'
import { isOfAbsence } from '../comparison/verdict.js'

/** What to do next, by the outcome and its reasons: sentences of our own, in markdown. */
export function advice(comparison: Comparison): readonly string[] {
  const { outcome, baseline, acceptance } = comparison.verdict
  switch (outcome) {
    case 'error':
      return errorAdvice(comparison)
    case 'regression':
      return acceptance ? [ACCEPTED] : regressionAdvice(comparison)
    case 'inconclusive':
      if (acceptance) return [ACCEPTED]
      return [
        ...unprovenAdvice(comparison),
        ...(comparison.verdict.reasons.some(isOfAbsence) ? [ABSENT] : []),
        ...(has(comparison, 'masked-gradients') ? [MASKED] : []),
      ]
    case 'pass':
      return baseline === 'present' ? [] : [NO_BASELINE]
  }
}

const ACCEPTED = 'Nothing: somebody has accepted it. The next pull request is compared with this model.'

const MASKED =
  'Do not rely on the robust accuracy of a model with masked gradients: look for steps without a useful gradient (rounding, quantisation, saturated activations), and attack with a stronger suite.'

const ABSENT =
  'Make the baseline available again: upload it anew, evaluate it with the suite, data and seed of today, or name another one with `baseline`. With `on-missing-baseline: pass` a model passes that was compared with nothing.'

const NO_BASELINE =
  'Set `min-robust-accuracy` if this model has to hold a level of its own. With `baseline: auto`, the next pull request is compared with it once the base branch holds it, or results of it that a run there has uploaded (`upload: true`).'

function has({ verdict }: Comparison, ...codes: readonly string[]): boolean {
  return verdict.reasons.some(({ code }) => codes.includes(code))
}

function regressionAdvice(comparison: Comparison): readonly string[] {
  const lostRobustness = has(comparison, 'robust-drop', 'min-robust-accuracy')
  const lostAccuracy = has(comparison, 'clean-drop', 'min-clean-accuracy')
  return [
    ...(lostRobustness ? [TRAIN, SEE] : []),
    ...(lostAccuracy ? [PREPROCESSING] : []),
    'If this is intended, change the limits on the base branch first: that is where they are read.',
  ]
}

const TRAIN =
  'Train for robustness: a few epochs of adversarial training (PGD) at the ε above usually win back what training on clean images lost.'

const SEE = 'See what fools it: `robustness-gate evaluate --save-adversarial` writes the adversarial examples.'

const PREPROCESSING =
  'Check the preprocessing declared for this model (`mean`, `std`, `range`, `layout`): a wrong one costs clean accuracy first.'

function unprovenAdvice({ rows, verdict }: Comparison): readonly string[] {
  const unproven = rows.filter(({ id }) =>
    verdict.reasons.some(({ code, row }) => row === id && code.endsWith('-unproven')),
  )
  if (unproven.length === 0) return []
  const needed = Math.max(...unproven.map(({ samplesNeeded = 0 }) => samplesNeeded))
  const enough = needed > 0 ? `about ${count(needed)} images` : 'more images'
  return [`Evaluate ${enough} (\`samples\`, or a larger \`data\` set) to tell this drop from chance.`]
}

function errorAdvice({ failure }: Comparison): readonly string[] {
  const model = failure?.model === 'baseline' ? 'the baseline' : 'the model'
  return [
    'This is no statement about robustness, for better or worse: nothing was compared.',
    'Read the message above and the job’s log. After a time limit, use fewer `samples` or a longer limit; after a crash, run again once to rule out the machine.',
    `Run \`robustness-gate inspect\` on ${model} to see its inputs, outputs and operators, and \`robustness-gate evaluate\` on it to reproduce this locally.`,
  ]
}
