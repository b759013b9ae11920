import type { Verdict } from '../comparison/types.js'
import { cut } from '../report/layout.js'
import type { Client } from './client.js'
import { gateKey } from './client.js'

/** GitHub refuses longer summaries. */
const checkSummaryLimit = 65_535

export interface CheckRequest {
  readonly headSha: string
  readonly checkName: string
  readonly conclusion: 'success' | 'failure' | 'neutral'
  readonly title: string
  readonly summary: string
  readonly detailsUrl: string
}

/** Grey for what neither passed nor blocks: a reader must not take it for a pass. */
export function conclusionOf(verdict: Verdict): CheckRequest['conclusion'] {
  if (verdict.fails) return 'failure'
  return verdict.outcome === 'pass' || verdict.acceptance !== undefined ? 'success' : 'neutral'
}

/**
 * Writes a gate's one check run on a commit; a repeated run replaces what the first one said.
 *
 * The job of the workflow has a check run of its own, perhaps of the same name. `external_id` tells ours from it.
 *
 * @returns The login of the app the token belongs to, such as `github-actions[bot]`.
 */
export async function putCheckRun(client: Client, request: CheckRequest): Promise<string | undefined> {
  const { octokit, repository } = client
  const external = `robustness-gate:${gateKey(request.checkName)}`
  const found = await octokit.rest.checks.listForRef({
    ...repository,
    ref: request.headSha,
    check_name: request.checkName,
    filter: 'all',
    per_page: 100,
  })
  const own = found.data.check_runs.find((run) => run.external_id === external)
  const content = {
    ...repository,
    name: request.checkName,
    details_url: request.detailsUrl,
    external_id: external,
    status: 'completed' as const,
    conclusion: request.conclusion,
    output: { title: request.title, summary: cut(request.summary, checkSummaryLimit) },
  }
  const { data } = own
    ? await octokit.rest.checks.update({ ...content, check_run_id: own.id })
    : await octokit.rest.checks.create({ ...content, head_sha: request.headSha })
  return data.app?.slug ? `${data.app.slug}[bot]` : undefined
}
