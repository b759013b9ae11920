import { resolve } from 'node:path'
import type { Comparison, ModelSummary } from '../comparison/types.js'

/** Paths of what a run wrote. */
export interface WrittenFiles {
  readonly comparison: string
  readonly report: string
  readonly results?: string
}

/** The outputs of action.yml, as text. What is not known is empty. */
export function outputsOf(comparison: Comparison, files?: WrittenFiles): Readonly<Record<string, string>> {
  const { verdict, candidate, baseline } = comparison
  return {
    verdict: verdict.outcome,
    verdicts: '',
    'clean-accuracy': text(candidate?.cleanAccuracy),
    'robust-accuracy': text(worstCase(candidate)),
    'baseline-clean-accuracy': text(baseline?.cleanAccuracy),
    'baseline-robust-accuracy': text(worstCase(baseline)),
    comparison: path(files?.comparison),
    results: path(files?.results),
    report: path(files?.report),
  }
}

/** Robust accuracy under the threat that leaves least of it. */
function worstCase(model: ModelSummary | undefined): number | undefined {
  const accuracies = Object.values(model?.robustAccuracy ?? {})
  return accuracies.length === 0 ? undefined : Math.min(...accuracies)
}

function text(accuracy: number | undefined): string {
  return accuracy === undefined ? '' : String(accuracy)
}

function path(file: string | undefined): string {
  return file === undefined ? '' : resolve(file)
}
