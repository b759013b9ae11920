import type { Comparison, Reason } from '../comparison/types.js'
import { fails, isOfAbsence } from '../comparison/verdict.js'

/** A reason that speaks against the candidate or leaves the verdict open. */
export interface Finding extends Reason {
  readonly kind: 'regression' | 'inconclusive' | 'error'
  /** Whether it alone would fail the job, after `fail-on` and an acceptance. */
  readonly fails: boolean
}

/** What tools that collect findings have to hear of; nothing, when all is well. Text of others is in there, not escaped yet. */
export function findings({ verdict, policy, failure }: Comparison): readonly Finding[] {
  if (verdict.outcome === 'error') {
    const message = failure?.message ?? 'The evaluation could not be completed.'
    return [{ code: 'error', message, kind: 'error', fails: true }]
  }
  const { acceptance, reasons } = verdict
  return reasons.flatMap((reason) => {
    const kind = kindOf(reason)
    if (kind === undefined) return []
    return [{ ...reason, kind, fails: fails(kind, policy?.failOn ?? 'regression', acceptance, isOfAbsence(reason)) }]
  })
}

function kindOf({ code }: Reason): 'regression' | 'inconclusive' | undefined {
  if (/^((robust|clean)-drop|min-(robust|clean)-accuracy)$/.test(code)) return 'regression'
  if (/^((robust|clean)-drop-unproven|masked-gradients)$/.test(code) || isOfAbsence({ code })) return 'inconclusive'
  return undefined
}
