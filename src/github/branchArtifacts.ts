import { Unreached } from '../remote/unreached.js'
import { messageOf, oneLine } from '../text.js'
import { isDenied, unreadable } from './artifacts.js'
import type { Artifact } from './artifacts.js'
import type { Client } from './client.js'
import { pagesOf } from './pages.js'

/** One that can be downloaded, or could once. */
export interface FoundArtifact extends Artifact {
  readonly run: number
  /** That the run was for, where it is known. */
  readonly commit?: string
}

/** What was made of the newest artifact that could be used; or why there are some and none can be; or that there are none. */
export type Search<T> = { readonly found: T } | { readonly unusable: string } | { readonly none: true }

/** The token may not see whether there is anything. */
export class SearchDenied extends Unreached {
  override readonly name = 'SearchDenied'
  /** GitHub's words. */
  readonly why: string

  constructor(what: string, cause: unknown) {
    const why = oneLine(messageOf(cause), 200)
    super(`${what} could not be looked for (${why}); the job needs actions: read`, { cause })
    this.why = why
  }
}

export interface BranchSearch {
  readonly name: string
  readonly branch: string
  /** The run that asks. */
  readonly except: number
}

/** Pull requests' runs upload under the same name, so that a branch's own may be far down the list. */
const mostArtifacts = 1_000
/** A request for each, and perhaps a download. */
const mostRuns = 50

/** What only those can start who may write to the branch. A `workflow_run` carries the branch's name whoever caused it. */
const trusted: readonly string[] = ['push', 'schedule', 'workflow_dispatch']

/**
 * Looks for the newest artifact of a name that a successful run of a branch has uploaded: a fork's branch may have the same
 * name, and so may a pull request's.
 *
 * @param use - Undefined of what cannot be used: then the one before it is asked for.
 * @throws SearchDenied where the token may not list them; Unreached where GitHub gives them not; whatever `use` throws.
 */
export async function searchBranch<T>(
  client: Client,
  search: BranchSearch,
  use: (artifact: FoundArtifact) => Promise<T | undefined>,
): Promise<Search<T>> {
  const { octokit, repository } = client
  const { name, branch, except } = search
  const refused = new Map<number, Refusal>()
  let seen = 0
  for await (const artifacts of listed(client, name)) {
    if (seen >= mostArtifacts) return { unusable: sentence(search, refused, seen) }
    seen += artifacts.length
    for (const artifact of artifacts) {
      const { workflow_run: by, id, size_in_bytes: bytes, expired } = artifact
      if (artifact.name !== name || by?.id === undefined || by.id === except || refused.has(by.id)) continue
      if (by.head_branch !== branch || by.head_repository_id !== by.repository_id) continue
      if (refused.size === mostRuns) return { unusable: sentence(search, refused, seen) }
      const { data: run } = await octokit.rest.actions
        .getWorkflowRun({ ...repository, run_id: by.id })
        .catch(unreadable(`run ${by.id} with artifact ${oneLine(name, 100)}`))
      const refusal = refusalOf(run)
      const commit = by.head_sha
      const asFound = { id, name, bytes, expired, run: by.id, ...(commit !== undefined && { commit }) }
      const found = refusal === undefined ? await use(asFound) : undefined
      if (found !== undefined) return { found }
      refused.set(by.id, refusal ?? 'without results')
    }
  }
  const counted = [...refused.values()].some((why) => why !== ofPull)
  return counted ? { unusable: sentence(search, refused, seen) } : { none: true }
}

const ofPull = 'of a pull request'
type Refusal = typeof ofPull | 'unsuccessful' | 'started by something else' | 'without results'

function refusalOf(run: { readonly event: string; readonly conclusion: string | null }): Refusal | undefined {
  if (run.event.startsWith('pull_request')) return ofPull
  if (run.conclusion !== 'success') return 'unsuccessful'
  return trusted.includes(run.event) ? undefined : 'started by something else'
}

/** Why there is nothing, though there is something. */
function sentence({ name, branch }: BranchSearch, refused: ReadonlyMap<number, Refusal>, listed: number): string {
  const shown = `artifact ${oneLine(name, 100)}`
  if (refused.size === 0) return `Of the newest ${listed} called ${shown} none is of a run on ${branch}.`
  const all = [...refused.values()]
  const told = [...new Set(all)].map((why) => `${all.filter((each) => each === why).length} ${why}`).join(', ')
  return `Of the newest runs on ${branch} with ${shown} none can be used (${told}); it takes a successful one that was started by ${trusted.join(', ')}.`
}

type Page = Awaited<ReturnType<Client['octokit']['rest']['actions']['listArtifactsForRepo']>>['data']['artifacts']

/** GitHub gives the newest first. */
async function* listed({ octokit, repository }: Client, name: string): AsyncGenerator<Page> {
  const place = { ...repository, name, per_page: 100 }
  let asked = false
  try {
    for await (const { artifacts } of pagesOf((page) =>
      octokit.rest.actions.listArtifactsForRepo({ ...place, page }),
    )) {
      asked = true
      yield artifacts.toSorted((one, other) => other.id - one.id)
    }
  } catch (error) {
    const what = `artifact ${oneLine(name, 100)}`
    if (!asked && isDenied(error)) throw new SearchDenied(what, error)
    return unreadable(what)(error)
  }
}
