import { exampleOf } from './payloads.js'

/** Objects as GitHub's API returns them, complete enough for its own description. */

export interface Comment {
  readonly id: number
  readonly pullRequest: number
  readonly login: string
  body: string
}

export interface CheckRun {
  readonly id: number
  readonly name: string
  readonly head_sha: string
  readonly app: string
  external_id: string | null
  details_url: string | null
  status: string
  conclusion: string | null
  output: { title: string | null; summary: string | null }
  annotations?: readonly object[]
  /** GitHub's clock when it was made. */
  readonly started_at?: string
}

/** That of GITHUB_TOKEN is known; others get one of their own. */
export function appId(slug: string): number {
  return slug === 'github-actions' ? 15368 : [...slug].reduce((sum, letter) => sum * 31 + letter.charCodeAt(0), 7) % 1e6
}

const someTime = '2026-01-01T00:00:00Z'

export function user(base: string, login: string): object {
  const url = `${base}/users/${encodeURIComponent(login)}`
  const bot = login.endsWith('[bot]')
  return {
    login,
    id: bot ? 41898282 : 1,
    node_id: 'MDM6Qm90NDE4OTgyODI=',
    avatar_url: 'https://avatars.githubusercontent.com/in/15368?v=4',
    gravatar_id: '',
    url,
    html_url: `https://github.com/${bot ? `apps/${login.slice(0, -'[bot]'.length)}` : login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: bot ? 'Bot' : 'User',
    site_admin: false,
  }
}

/** What GET /user adds to a user. */
export function authenticatedUser(base: string, login: string): object {
  return {
    ...user(base, login),
    ...{ name: login, company: null, blog: '', location: null, email: null, hireable: null, bio: null },
    ...{ public_repos: 1, public_gists: 0, followers: 0, following: 0, created_at: someTime, updated_at: someTime },
  }
}

export function comment(base: string, repository: string, { id, pullRequest, login, body }: Comment): object {
  return {
    id,
    node_id: `IC_${id}`,
    url: `${base}/repos/${repository}/issues/comments/${id}`,
    html_url: `https://github.com/${repository}/pull/${pullRequest}#issuecomment-${id}`,
    issue_url: `${base}/repos/${repository}/issues/${pullRequest}`,
    user: user(base, login),
    created_at: someTime,
    updated_at: someTime,
    author_association: 'NONE',
    body,
  }
}

export function checkRun(base: string, repository: string, run: CheckRun): object {
  const url = `${base}/repos/${repository}/check-runs/${run.id}`
  const { app, output, annotations = [], started_at: started = someTime, ...own } = run
  return {
    ...own,
    node_id: `CR_${run.id}`,
    url,
    html_url: `https://github.com/${repository}/runs/${run.id}`,
    started_at: started,
    completed_at: run.conclusion === null ? null : started,
    check_suite: { id: 5 },
    output: { ...output, text: null, annotations_count: annotations.length, annotations_url: `${url}/annotations` },
    app: {
      id: appId(app),
      slug: app,
      node_id: 'MDM6QXBwMTUzNjg=',
      owner: user(base, 'github'),
      name: app,
      description: null,
      external_url: 'https://help.github.com/en/actions',
      html_url: `https://github.com/apps/${app}`,
      created_at: someTime,
      updated_at: someTime,
      permissions: { checks: 'write', metadata: 'read' },
      events: ['check_run'],
    },
    pull_requests: [],
  }
}

export function pullRequest(number: number, headSha: string): object {
  const { pull_request: example } = exampleOf('pull_request')
  return { ...example, number, auto_merge: null, head: { ...example.head, sha: headSha } }
}
