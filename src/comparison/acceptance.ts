import type { Acceptance, Comparison } from './types.js'
import { fails } from './verdict.js'

/** A person's answer to a verdict that would fail the job, or how they can give one. */
export type Answer = { readonly acceptance: Acceptance } | { readonly appeal: string }

/** Whether somebody may say that this is meant to be. An error says nothing about the model, so there is nothing to accept. */
export function isAcceptable({ verdict }: Comparison): boolean {
  return verdict.fails && verdict.outcome !== 'error'
}

/** The verdict after that answer. The outcome stays what it is; an acceptance lets the job succeed. */
export function answered(comparison: Comparison, answer: Answer): Comparison {
  const { verdict, policy } = comparison
  if ('appeal' in answer) return { ...comparison, verdict: { ...verdict, appeal: answer.appeal } }
  const { acceptance } = answer
  const stillFails = fails(verdict.outcome, policy?.failOn ?? 'regression', acceptance)
  return { ...comparison, verdict: { ...verdict, acceptance, fails: stillFails } }
}
