import { user } from './objects.js'
import { exampleOf } from './payloads.js'
import { page } from './loopback.js'
import type { Extension } from './loopback.js'

/** A pull request beside its comments and checks: labels with their history, commits, and where it was merged. */
export interface LabeledPull {
  readonly number: number
  /** Who opened it. */
  readonly author: string
  readonly base: string
  /** The oldest first. */
  commits: readonly string[]
  mergedAs?: string
  readonly events: LabelEvent[]
}

export interface LabelEvent {
  readonly event: 'labeled' | 'unlabeled'
  readonly label: string
  readonly who: string
  readonly when: string
}

export interface HostedLabels extends Extension {
  readonly pulls: LabeledPull[]
}

export function hostLabels(): HostedLabels {
  const pulls: LabeledPull[] = []
  const find = (number: number) => pulls.find((pull) => pull.number === number)
  return {
    pulls,
    pull(number) {
      const found = find(number)
      return found && { ...shownPull(found), labels: present(found).map(shownLabel) }
    },
    perform({ operation, query }, base) {
      const { issue_number: issue, pull_number: pull, commit_sha: commit } = operation.path
      switch (operation.id) {
        case 'issues/list-events': {
          const events = find(Number(issue))?.events ?? []
          const shown = events.map((event, id) => shownEvent(event, id, base))
          return page(shown, query, `${base}/repos/Codertocat/Hello-World/issues/${issue}/events`)
        }
        case 'pulls/list-commits': {
          const commits = find(Number(pull))?.commits ?? []
          const shown = commits.map((sha) => shownCommit(sha, base))
          return page(shown, query, `${base}/repos/Codertocat/Hello-World/pulls/${pull}/commits`)
        }
        case 'repos/list-pull-requests-associated-with-commit': {
          const found = pulls.filter(({ commits, mergedAs }) => mergedAs === commit || commits.includes(commit))
          return {
            status: 200,
            body: found.map((one) => ({ ...exampleOf('pull_request').pull_request, ...shownPull(one) })),
          }
        }
        default:
          return undefined
      }
    },
  }
}

/** GitHub takes labels that differ in capitals alone for one. */
function present({ events }: LabeledPull): readonly string[] {
  const last = new Map(events.map(({ label, event }) => [label.toLowerCase(), { label, event }]))
  return [...last.values()].filter(({ event }) => event === 'labeled').map(({ label }) => label)
}

function shownPull({ number, author, base, mergedAs }: LabeledPull): object {
  const example = exampleOf('pull_request').pull_request
  return {
    ...{ number, user: user('https://api.github.com', author), auto_merge: null },
    base: { ...example.base, ref: base },
    state: mergedAs === undefined ? 'open' : 'closed',
    merged_at: mergedAs === undefined ? null : '2026-01-02T00:00:00Z',
    merge_commit_sha: mergedAs ?? null,
  }
}

function shownLabel(name: string, id: number): object {
  const url = `https://api.github.com/repos/Codertocat/Hello-World/labels/${encodeURIComponent(name)}`
  return { id, node_id: `LA_${id}`, url, name, description: null, color: 'ededed', default: false }
}

function shownEvent({ event, label, who, when }: LabelEvent, id: number, base: string): object {
  return {
    ...{ id: 10 + id, node_id: `LE_${id}`, url: `${base}/repos/Codertocat/Hello-World/issues/events/${10 + id}` },
    ...{ actor: user(base, who), event, commit_id: null, commit_url: null, created_at: when },
    ...{ performed_via_github_app: null, label: { name: label, color: 'ededed' } },
  }
}

function shownCommit(sha: string, base: string): object {
  const url = `${base}/repos/Codertocat/Hello-World/commits/${sha}`
  const person = { name: 'Mona', email: 'mona@example.com', date: '2020-01-01T00:00:00Z' }
  return {
    ...{ url, sha, node_id: `C_${sha}`, html_url: url, comments_url: `${url}/comments`, parents: [] },
    ...{ author: user(base, 'mona'), committer: user(base, 'mona') },
    commit: {
      ...{ url, author: person, committer: person, message: 'Change', comment_count: 0 },
      tree: { sha, url },
    },
  }
}
