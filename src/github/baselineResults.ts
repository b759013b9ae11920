import { UsageError } from '../errors.js'
import { parseResults } from '../evaluation/resultsFile.js'
import type { Baseline, BaselineOrigin } from './baseline.js'

/** What a file that is there but cannot be used says of the baseline is told, and left to the policy. */
export function parsedBaseline(text: string, where: string, origin: BaselineOrigin): Baseline {
  try {
    return { kind: 'results', results: parseResults(text, where), origin }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { kind: 'broken', reason: `The baseline cannot be read: ${error.message}.` }
  }
}
