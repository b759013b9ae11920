import { count } from '../comparison/text.js'
import type { Comparison } from '../comparison/types.js'

/** What came of trying each model's adversarial examples on the other, in one sentence of our own; '' without a baseline. */
export function transferLine({ transfer, verdict }: Comparison): string {
  if (verdict.baseline !== 'present' || verdict.outcome === 'error') return ''
  if (!transfer)
    return verdict.reasons.some(({ code }) => code === 'unchanged')
      ? ''
      : 'Transfer: not tried, for that takes both models and not results alone'
  const one = (to: 'baseline' | 'candidate'): string => {
    const trials = transfer.filter((trial) => trial.to === to)
    const sum = (of: (trial: (typeof trials)[number]) => number) =>
      trials.reduce((total, trial) => total + of(trial), 0)
    const from = to === 'baseline' ? 'candidate' : 'baseline'
    return `of ${count(sum(({ tried }) => tried))} adversarial examples of the ${from}, ${count(sum(({ fooled }) => fooled.length))} break images that count as robust in the ${to}`
  }
  return `Transfer: ${one('baseline')}; ${one('candidate')}`
}
