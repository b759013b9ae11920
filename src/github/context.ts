import { z } from 'zod'
import { UsageError } from '../errors.js'

export interface PullRequestEvent {
  readonly kind: 'pull_request'
  readonly number: number
  readonly headSha: string
  readonly baseRef: string
  /** The payload's idea of the base branch's tip; it may be older than the one GitHub merged with. */
  readonly baseSha: string
  /** The head lives in another repository, so the token can only read. */
  readonly fork: boolean
  /** The head before the push that the run is for, which a forced push takes out of the pull request. */
  readonly formerHeadSha?: string
}

export interface PushEvent {
  readonly kind: 'push'
  readonly headSha: string
  /** Undefined when the push made the branch. */
  readonly before?: string
  readonly ref: string
  readonly defaultBranch: string
  /** What was pushed, as far as the payload lists it, the newest first; `headSha` is among them. */
  readonly commits: readonly string[]
}

/** Another workflow has ended, perhaps one that a stranger's pull request started. */
export interface WorkflowRunEvent {
  readonly kind: 'workflow_run'
  /** The commit that run was for; GITHUB_SHA is the default branch's. */
  readonly headSha: string
  readonly runId: number
  readonly attempt: number
  /** The event that run was started by, such as `pull_request`. */
  readonly startedBy: string
  /** `success`, `failure`, `cancelled`, … */
  readonly conclusion: string
  /** Whose branch it was for: undefined once the fork is deleted. */
  readonly headOwner?: string
  readonly headRepository?: string
  readonly headBranch?: string
}

/** What started the run, as far as the gate needs to know it. Commit ids are full and hexadecimal. */
export type Event =
  | PullRequestEvent
  | PushEvent
  | WorkflowRunEvent
  | {
      readonly kind: 'merge_group'
      readonly headSha: string
      readonly baseSha: string
      /** Of the queue's own branch, which is named after the pull request that joins with it. */
      readonly headRef: string
    }
  | { readonly kind: 'schedule' | 'workflow_dispatch'; readonly headSha: string }

export interface Repository {
  readonly owner: string
  readonly repo: string
}

/** One attempt at one run of a workflow. GitHub counts both up. */
export interface RunId {
  readonly id: number
  readonly attempt: number
}

export interface Context {
  readonly event: Event
  readonly repository: Repository
  readonly run: RunId
  /** Of the run, for people to click on. */
  readonly runUrl: string
  readonly serverUrl: string
}

/** The variables of a runner that `readContext` reads. */
export type Environment = Readonly<Record<string, string | undefined>>

const sha = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/)
const repositoryName = z.object({ full_name: z.string() })

const PullRequestPayload = z.object({
  number: z.int().positive(),
  before: sha.optional(),
  pull_request: z.object({
    /** `repo` is null when the fork has been deleted. */
    head: z.object({ sha, repo: repositoryName.nullable() }),
    base: z.object({ sha, ref: z.string().min(1), repo: repositoryName }),
  }),
})

const PushPayload = z.object({
  ref: z.string().min(1),
  before: sha,
  after: sha,
  commits: z.array(z.object({ id: sha })).default([]),
  repository: z.object({ default_branch: z.string().min(1) }),
})

const WorkflowRunPayload = z.object({
  action: z.string(),
  workflow_run: z.object({
    id: z.int().positive(),
    run_attempt: z.int().positive().default(1),
    head_sha: sha,
    head_branch: z.string().nullable(),
    event: z.string(),
    conclusion: z.string().nullable(),
    head_repository: z.object({ full_name: z.string(), owner: z.object({ login: z.string() }) }).nullable(),
  }),
})

const MergeGroupPayload = z.object({
  merge_group: z.object({ head_sha: sha, base_sha: sha, head_ref: z.string() }),
})

/**
 * Reads what a runner says about the run.
 *
 * @param environment - The runner's `GITHUB_*` variables.
 * @param payload - Text of the file GITHUB_EVENT_PATH names.
 * @param allowUnsafe - Takes `pull_request_target` for a `pull_request`.
 * @throws UsageError for an event the gate must not or cannot run on, or a payload that is not GitHub's.
 */
export function readContext(environment: Environment, payload: string, allowUnsafe = false): Context {
  const name = environment.GITHUB_REPOSITORY ?? ''
  const [owner, repo, ...rest] = name.split('/')
  if (!owner || !repo || rest.length > 0)
    throw new UsageError(`GITHUB_REPOSITORY is "${name}", not owner/name: run the action inside a GitHub workflow`)
  const serverUrl = (environment.GITHUB_SERVER_URL || 'https://github.com').replace(/\/+$/, '')
  return {
    event: readEvent(eventName(environment, allowUnsafe), environment.GITHUB_SHA ?? '', parseJson(payload)),
    repository: { owner, repo },
    run: { id: Number(environment.GITHUB_RUN_ID) || 0, attempt: Number(environment.GITHUB_RUN_ATTEMPT) || 1 },
    runUrl: `${serverUrl}/${owner}/${repo}/actions/runs/${environment.GITHUB_RUN_ID ?? ''}`,
    serverUrl,
  }
}

function eventName({ GITHUB_EVENT_NAME: name = '' }: Environment, allowUnsafe: boolean): string {
  return allowUnsafe && name === 'pull_request_target' ? 'pull_request' : name
}

function readEvent(name: string, runSha: string, payload: unknown): Event {
  switch (name) {
    case 'pull_request': {
      const { number, before, pull_request: pull } = parsePayload(PullRequestPayload, payload, name)
      return {
        kind: name,
        number,
        headSha: pull.head.sha,
        baseRef: pull.base.ref,
        baseSha: pull.base.sha,
        fork: pull.head.repo?.full_name !== pull.base.repo.full_name,
        ...(before !== undefined && { formerHeadSha: before }),
      }
    }
    case 'push': {
      const push = parsePayload(PushPayload, payload, name)
      const created = /^0+$/.test(push.before)
      return {
        kind: name,
        headSha: push.after,
        before: created ? undefined : push.before,
        ref: push.ref,
        defaultBranch: push.repository.default_branch,
        commits: [...new Set([push.after, ...push.commits.map(({ id }) => id).reverse()])],
      }
    }
    case 'merge_group': {
      const { merge_group: group } = parsePayload(MergeGroupPayload, payload, name)
      return { kind: name, headSha: group.head_sha, baseSha: group.base_sha, headRef: group.head_ref }
    }
    case 'schedule':
    case 'workflow_dispatch':
      return { kind: name, headSha: parsePayload(sha, runSha, `${name} (GITHUB_SHA)`) }
    case 'workflow_run':
      return workflowRun(parsePayload(WorkflowRunPayload, payload, name))
    case 'pull_request_target':
      throw new UsageError(
        'event pull_request_target: a checkout of the base would judge nothing of the pull request, and one of its head hands secrets and a writing token to a job that loads a stranger’s model; use pull_request, for forks with a second workflow in mode: publish (docs/workflows.md), or set allow-unsafe-pull-request-target: true where every author is trusted',
      )
    default:
      throw new UsageError(
        `event "${name}" is not supported: run the gate on pull_request, push, merge_group, schedule or workflow_dispatch`,
      )
  }
}

function workflowRun({ action, workflow_run: run }: z.infer<typeof WorkflowRunPayload>): WorkflowRunEvent {
  if (action !== 'completed')
    throw new UsageError(`event workflow_run: the other run is not over (${action}); write types: [completed]`)
  return {
    kind: 'workflow_run',
    headSha: run.head_sha,
    runId: run.id,
    attempt: run.run_attempt,
    startedBy: run.event,
    conclusion: run.conclusion ?? '',
    headOwner: run.head_repository?.owner.login,
    headRepository: run.head_repository?.full_name,
    headBranch: run.head_branch ?? undefined,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError('the event payload (GITHUB_EVENT_PATH) is not JSON: run the action inside a GitHub workflow')
  }
}

function parsePayload<T>(schema: z.ZodType<T>, payload: unknown, event: string): T {
  const parsed = schema.safeParse(payload)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const place = issue.path.length > 0 ? issue.path.join('.') : 'the whole'
  throw new UsageError(
    `payload of event ${event}: ${place}: ${issue.message}: run the action inside a GitHub workflow, with an unchanged GITHUB_EVENT_PATH`,
  )
}
