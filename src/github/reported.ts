import type { Client } from './client.js'
import { externalId, parseSection } from './sections.js'

/** Which model, and in the name of which gate. */
export interface Judgement {
  readonly checkName: string
  /** sha256 of the model. */
  readonly candidate: string
}

/**
 * When a gate first told a pull request of a model, in a check run on this commit; undefined when it never did. What a push or
 * another pull request of the same head was told is not this one's: its baseline may have been another. The time is GitHub's
 * own, of when the check run was made.
 */
export async function reportedOn(
  { octokit, repository }: Client,
  pullRequest: number,
  commit: string,
  { checkName, candidate }: Judgement,
): Promise<string | undefined> {
  const { data } = await octokit.rest.checks.listForRef({
    ...repository,
    ...{ ref: commit, check_name: checkName, filter: 'all', per_page: 100 },
  })
  const times = data.check_runs.flatMap(({ external_id: id, output, started_at: started, completed_at: completed }) => {
    const mark = id === externalId(checkName) ? parseSection(output.summary ?? '')?.mark : undefined
    if (mark?.candidate !== candidate || mark.pullRequest !== pullRequest) return []
    return [mark.since, started ?? completed].filter((time) => typeof time === 'string')
  })
  return earliest(times)
}

/** Undefined of none. */
export function earliest(times: readonly string[]): string | undefined {
  return times.toSorted((one, other) => Date.parse(one) - Date.parse(other))[0]
}
