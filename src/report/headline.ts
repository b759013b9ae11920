import { percent, points, signedPoints, threatTitle } from '../comparison/text.js'
import type { Comparison, PairedRow, Reason } from '../comparison/types.js'
import { plain } from './escape.js'

/** The verdict in words: `❌`, `Regression`, `robust accuracy under Linf ε = 0.1 falls from …`. Not escaped yet. */
export interface Headline {
  readonly icon: string
  readonly verdict: string
  readonly sentence: string
}

/** What a reader sees first: the outcome and the one number that matters most for it. */
export function headline(comparison: Comparison): Headline {
  const { outcome, acceptance, fails } = comparison.verdict
  const accepted = acceptance && ` (accepted by ${plain(acceptance.who, 60)})`
  switch (outcome) {
    case 'error':
      return { icon: '🛑', verdict: 'Error', sentence: errorSentence(comparison) }
    case 'regression': {
      const spared = fails ? '' : ' (does not fail the job)'
      const icon = acceptance ? '☑️' : '❌'
      return { icon, verdict: `Regression${accepted ?? spared}`, sentence: reasonSentence(comparison) }
    }
    case 'inconclusive':
      return {
        icon: accepted ? '☑️' : '⚠️',
        verdict: `Inconclusive${accepted ?? ''}`,
        sentence: reasonSentence(comparison),
      }
    case 'pass':
      return { icon: '✅', verdict: 'Pass', sentence: passSentence(comparison) }
  }
}

/** Reasons that decided, the weightiest first: what was lost most against what is allowed leads. */
export function decidingReasons({ verdict, rows }: Comparison): readonly Reason[] {
  const codes: Readonly<Record<Comparison['verdict']['outcome'], RegExp>> = {
    regression: /^((robust|clean)-drop|min-)/,
    inconclusive: /^((robust|clean)-drop-unproven|masked-gradients|baseline-)/,
    pass: /^clean-budget/,
    error: /^error/,
  }
  const excess = ({ row: id }: Reason) => {
    const row = rows.find((one) => one.id === id)
    return row ? row.drop - row.allowed : -Infinity
  }
  return verdict.reasons
    .filter(({ code }) => codes[verdict.outcome].test(code))
    .sort((one, other) => weigh(excess(other), excess(one)))
}

function weigh(one: number, other: number): number {
  return one === other ? 0 : one - other
}

function reasonSentence(comparison: Comparison): string {
  const [first] = decidingReasons(comparison)
  return first === undefined ? '' : uncapitalized(first.message)
}

function uncapitalized(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '')
}

function errorSentence({ failure }: Comparison): string {
  const who = failure?.model ? `the ${failure.model}` : 'a model'
  return `the evaluation of ${who} could not be completed, so nothing is known about its robustness`
}

function passSentence({ rows, candidate, threats, verdict }: Comparison): string {
  const worst = worstRow(rows)
  if (worst) {
    const [before, after] = [worst.baseline, worst.candidate].map((images) => percent(images / worst.samples))
    const under = worst.title.replace(/^Worst case, /, '')
    if (verdict.reasons.some(({ code }) => code === 'unchanged'))
      return `the model is unchanged; its robust accuracy under ${under} is ${after}`
    return `robust accuracy under ${under} goes from ${before} to ${after} (${signedPoints(-worst.drop)} points, allowed drop ${points(worst.allowed)})`
  }
  if (candidate === undefined && verdict.reasons.some(({ code }) => code === 'unchanged'))
    return 'the model is unchanged, so nothing was attacked'
  const [weakest] = [...threats].sort((one, other) => robust(candidate, one.id) - robust(candidate, other.id))
  if (weakest === undefined) return 'nothing was compared'
  return `robust accuracy under ${threatTitle(weakest)} is ${percent(robust(candidate, weakest.id))}; there was no baseline to compare with`
}

function robust(candidate: Comparison['candidate'], threat: string): number {
  return candidate?.robustAccuracy[threat] ?? 0
}

/** The worst case that fell most. */
export function worstRow(rows: readonly PairedRow[]): PairedRow | undefined {
  return rows
    .filter(({ kind }) => kind === 'worst-case')
    .reduce<PairedRow | undefined>(
      (worst, row) => (worst === undefined || row.drop > worst.drop ? row : worst),
      undefined,
    )
}
