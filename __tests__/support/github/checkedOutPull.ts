import { join } from 'node:path'
import { baseFinder } from '../../../src/github/base.js'
import type { Baseline } from '../../../src/github/baseline.js'
import type { Event } from '../../../src/github/context.js'
import { findBaseline } from '../../../src/github/findBaseline.js'
import { locateInGit } from '../../../src/github/workspace.js'
import { gitEnvironment } from './repository.js'
import type { Content, HostedRepository } from './repository.js'

/** A pull request to main of a hosted repository, checked out as actions/checkout does it. */
export interface CheckedOutPull {
  readonly workspace: string
  readonly event: Extract<Event, { readonly kind: 'pull_request' }>
  /** The first digits of the base commit, as reports have them. */
  readonly base: string
}

/** @param before of the base commit, @param changes of the pull request. */
export async function checkOutPull(
  hosted: HostedRepository,
  before: Content,
  changes: Content,
): Promise<CheckedOutPull> {
  const base = await hosted.commit('main', { 'README.md': 'A model.', ...before })
  const head = await hosted.commit('feature', changes, base)
  const workspace = await hosted.checkout(await hosted.merge(2, base, head), 1)
  return {
    workspace,
    base: base.slice(0, 10),
    event: { kind: 'pull_request', number: 2, headSha: head, baseRef: 'main', baseSha: base, fork: false },
  }
}

export function baselineOf(
  { workspace, event }: CheckedOutPull,
  spec: string,
  environment: Record<string, string> = gitEnvironment,
  model = 'models/a.onnx',
): Promise<Baseline> {
  const request = { spec, model: join(workspace, model), workspace, guarded: event.kind === 'pull_request' }
  return findBaseline(request, baseFinder(event), locateInGit(environment))
}

/** What a baseline's file holds. */
export function textOf(baseline: Baseline): string {
  if (baseline.kind !== 'model') throw new Error(`the baseline is ${JSON.stringify(baseline)}`)
  return Buffer.from(baseline.model.bytes).toString()
}
