import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { githubDescription } from './description.js'
import type { Operation } from './description.js'
import { faultyReply } from './faults.js'
import type { Fault } from './faults.js'
import { appId, authenticatedUser, checkRun, comment, pullRequest } from './objects.js'
import type { CheckRun, Comment } from './objects.js'

/** Who a token belongs to and what it may do. */
export interface Holder {
  /** The slug of an app whose installation the token is of, or a person's login. */
  readonly app?: string
  readonly person?: string
  readonly comments: 'read' | 'write'
  readonly checks: 'none' | 'read' | 'write'
}

/** GITHUB_TOKEN of a job with `pull-requests: write` and `checks: write`. */
export const actionsToken: Holder = { app: 'github-actions', comments: 'write', checks: 'write' }
/** GITHUB_TOKEN of a pull request from a fork. */
export const forkToken: Holder = { app: 'github-actions', comments: 'read', checks: 'read' }

export interface LoopbackGitHub {
  readonly url: string
  readonly comments: Comment[]
  readonly checkRuns: CheckRun[]
  /** Operation ids, in the order of the requests. */
  readonly operations: string[]
  /** Of pull requests, by number. Without an entry it is the commit whose check runs were last asked for. */
  readonly heads: Map<number, string>
  /** What goes wrong with the request of that place in `operations`, from 0; may do something in between. */
  faultAt: (place: number, operation: string) => Fault | undefined
  /** Likewise with what is at an address that is no operation. */
  faultOfFile: (path: string) => Fault | undefined
  /** Is told of every answer that never ends, once it has begun, and how long at most it may be waited for: files may be large. */
  onStall: (longest?: number) => void
  /** GitHub's clock, which is a minute later each time. */
  readonly now: () => string
  /** Makes an operation fail from now on. */
  readonly breakOperation: (id: string, reply: Reply) => void
  /** Ends the server. Rejects when any request was one that GitHub would not have understood. */
  readonly close: () => Promise<void>
}

export interface Reply {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface World {
  readonly repository: string
  readonly pullRequests: readonly number[]
  readonly tokens: Readonly<Record<string, Holder>>
  /** What else GitHub knows of, beside comments and check runs. */
  readonly extensions?: readonly Extension[]
}

export interface Extension {
  /** What is at an address that is no operation of the interface, such as a storage's; text is a complaint. */
  readonly file?: (
    path: string,
    headers: IncomingHttpHeaders,
    query: URLSearchParams,
  ) => Uint8Array | string | undefined
  /** What it knows of a pull request. */
  readonly pull?: (number: number) => object | undefined
  /** Answers the operations it knows. */
  readonly perform: (call: Call, base: string) => Reply | undefined
}

/**
 * A GitHub on 127.0.0.1 that keeps comments and check runs, knows tokens and their permissions, and holds every request,
 * and every reply of its own, against GitHub's OpenAPI description.
 */
export async function startGitHub(world: World): Promise<LoopbackGitHub> {
  const description = githubDescription()
  const violations: string[] = []
  const broken = new Map<string, Reply>()
  const state: State = {
    comments: [],
    checkRuns: [],
    operations: [],
    heads: new Map(),
    asked: '0'.repeat(40),
    nextId: 1000,
    minutes: 0,
  }
  let url = ''

  const answer = async (request: IncomingMessage): Promise<Reply & { readonly fault?: Fault }> => {
    const { pathname: path, searchParams } = new URL(request.url ?? '/', url)
    const pathname = path.replace(/^\/api\/v3(?=\/)/, '')
    const file = first(world, (extension) => extension.file?.(pathname, request.headers, searchParams))
    if (typeof file === 'string') violations.push(file)
    if (file !== undefined) return { status: 200, body: file, fault: github.faultOfFile(pathname) }
    const operation = description.find(request.method ?? '', pathname)
    if (operation === undefined) {
      violations.push(`${request.method} ${pathname} is no operation the action should use`)
      return notFound
    }
    const place = state.operations.push(operation.id) - 1
    const body = await bodyOf(request)
    const wrong = description.request(operation, searchParams, body)
    if (wrong.length > 0) {
      violations.push(`${operation.id}: ${wrong.join('; ')}`)
      return { status: 422, body: { message: 'Validation Failed', errors: wrong } }
    }
    const token = /^(?:token|bearer) (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const holder = world.tokens[token]
    if (holder === undefined) return { status: 401, body: { message: 'Bad credentials', status: '401' } }
    const fault = github.faultAt(place, operation.id)
    if (fault !== undefined && !fault.performed) return { ...notFound, fault }
    const reply =
      broken.get(operation.id) ?? perform(world, state, url, { operation, query: searchParams, body, holder })
    const ownFaults = description.reply(operation, reply.status, reply.body)
    violations.push(...ownFaults.map((fault) => `the loopback server itself: ${operation.id}: ${fault}`))
    return { ...reply, fault }
  }

  const server = createServer((request, response) => {
    answer(request).then(
      ({ fault, ...reply }) => {
        if (fault === undefined) return send(response, reply)
        faultyReply(response, fault, reply)
        if (fault.kind === 'slow body') github.onStall(reply.body instanceof Uint8Array ? undefined : 60_000)
      },
      (error: unknown) => {
        violations.push(`the loopback server itself: ${String(error)}`)
        send(response, { status: 500, body: { message: 'Server Error' } })
      },
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const github: LoopbackGitHub = {
    url,
    comments: state.comments,
    checkRuns: state.checkRuns,
    operations: state.operations,
    heads: state.heads,
    faultAt: () => undefined,
    faultOfFile: () => undefined,
    onStall: () => {},
    now: () => clock(state),
    breakOperation: (id, reply) => void broken.set(id, reply),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      if (violations.length > 0) throw new Error(`GitHub would not have understood:\n${violations.join('\n')}`)
    },
  }
  return github
}

const notFound: Reply = { status: 404, body: { message: 'Not Found', status: '404' } }

/** GitHub's words when an app's token lacks a permission, and when a person's token asks for what only apps may. */
export const notAccessible: Reply = {
  status: 403,
  body: {
    message: 'Resource not accessible by integration',
    documentation_url: 'https://docs.github.com/rest',
    status: '403',
  },
}
const appsOnly: Reply = {
  status: 403,
  body: {
    message: 'You must authenticate via a GitHub App.',
    documentation_url: 'https://docs.github.com/rest/checks/runs#create-a-check-run',
    status: '403',
  },
}

interface State {
  readonly comments: Comment[]
  readonly checkRuns: CheckRun[]
  readonly operations: string[]
  readonly heads: Map<number, string>
  asked: string
  nextId: number
  minutes: number
}

function clock(state: State): string {
  state.minutes += 1
  return new Date(Date.UTC(2026, 0, 1, 0, state.minutes)).toISOString().replace('.000Z', 'Z')
}

export interface Call {
  readonly operation: Operation
  readonly query: URLSearchParams
  readonly body: unknown
  readonly holder: Holder
}

function perform(world: World, state: State, base: string, { operation, query, body, holder }: Call): Reply {
  const login = holder.person ?? `${holder.app}[bot]`
  const shownComment = (each: Comment) => comment(base, world.repository, each)
  const shownRun = (each: CheckRun) => checkRun(base, world.repository, each)
  const { owner, repo, issue_number: issue, comment_id: commentId, check_run_id: runId, ref } = operation.path
  if (owner !== undefined && `${owner}/${repo}` !== world.repository) return notFound
  if (issue !== undefined && !world.pullRequests.includes(Number(issue))) return notFound
  switch (operation.id) {
    case 'users/get-authenticated':
      return holder.person === undefined ? notAccessible : ok(authenticatedUser(base, holder.person))
    case 'issues/list-comments': {
      const all = state.comments.filter((each) => each.pullRequest === Number(issue))
      return page(all.map(shownComment), query, `${base}/repos/${world.repository}/issues/${issue}/comments`)
    }
    case 'issues/create-comment': {
      if (holder.comments !== 'write') return notAccessible
      const { body: text } = body as { body: string }
      if (text.length > 65_536) return tooLong
      const made: Comment = { id: state.nextId++, pullRequest: Number(issue), login, body: text }
      state.comments.push(made)
      return { status: 201, body: shownComment(made) }
    }
    case 'issues/update-comment': {
      const found = state.comments.find(({ id }) => id === Number(commentId))
      if (found === undefined) return notFound
      if (holder.comments !== 'write' || found.login !== login) return notAccessible
      const { body: text } = body as { body: string }
      if (text.length > 65_536) return tooLong
      found.body = text
      return ok(shownComment(found))
    }
    case 'issues/delete-comment': {
      const place = state.comments.findIndex(({ id }) => id === Number(commentId))
      if (place < 0) return notFound
      if (holder.comments !== 'write' || state.comments[place].login !== login) return notAccessible
      state.comments.splice(place, 1)
      return { status: 204, body: undefined }
    }
    case 'pulls/get': {
      const number = Number(operation.path.pull_number)
      if (!world.pullRequests.includes(number)) return notFound
      const head = state.heads.get(number) ?? state.asked
      return ok({ ...pullRequest(number, head), ...first(world, (extension) => extension.pull?.(number)) })
    }
    case 'checks/list-for-ref': {
      state.asked = ref
      if (holder.checks === 'none') return notAccessible
      const [named, app] = [query.get('check_name'), query.get('app_id')]
      const runs = state.checkRuns
        .filter((run) => run.head_sha === ref && (named === null || run.name === named))
        .filter((run) => app === null || appId(run.app) === Number(app))
      const url = `${base}/repos/${world.repository}/commits/${ref}/check-runs`
      const { body: shown, ...reply } = page(runs.toReversed().map(shownRun), query, url)
      return { ...reply, body: { total_count: runs.length, check_runs: shown } }
    }
    case 'checks/list-annotations': {
      const found = state.checkRuns.find(({ id }) => id === Number(runId))
      if (found === undefined) return notFound
      const shown = (found.annotations ?? []).map((each) => ({ ...noAnnotation, blob_href: base, ...each }))
      return page(shown, query, `${base}/repos/${world.repository}/check-runs/${runId}/annotations`)
    }
    case 'checks/create': {
      if (holder.app === undefined) return appsOnly
      if (holder.checks !== 'write') return notAccessible
      const made = { id: state.nextId++, app: holder.app, started_at: clock(state) }
      const run = { ...emptyRun, ...made, ...keptAnnotations([], body) } as CheckRun
      state.checkRuns.push(run)
      return { status: 201, body: shownRun(run) }
    }
    case 'checks/update': {
      const found = state.checkRuns.find(({ id }) => id === Number(runId))
      if (found === undefined) return notFound
      if (holder.checks !== 'write' || found.app !== holder.app) return notAccessible
      Object.assign(found, keptAnnotations(found.annotations ?? [], body))
      return ok(shownRun(found))
    }
    default:
      return first(world, (extension) => extension.perform({ operation, query, body, holder }, base)) ?? notFound
  }
}

function first<T>({ extensions = [] }: World, ask: (extension: Extension) => T | undefined): T | undefined {
  for (const extension of extensions) {
    const answer = ask(extension)
    if (answer !== undefined) return answer
  }
  return undefined
}

/** GitHub keeps the annotations of a check run for good: what is sent is added to them. */
function keptAnnotations(former: readonly object[], body: unknown): object {
  const { output, ...content } = body as { readonly output?: { readonly annotations?: readonly object[] } }
  if (output === undefined) return content
  const { annotations = [], ...shown } = output
  return { ...content, output: shown, annotations: [...former, ...annotations] }
}

const noAnnotation = { start_column: null, end_column: null, raw_details: null }
const emptyRun = { external_id: null, details_url: null, status: 'queued', conclusion: null }
const tooLong: Reply = {
  status: 422,
  body: {
    message: 'Validation Failed',
    documentation_url: 'https://docs.github.com/rest',
    errors: [{ code: 'custom', message: 'body is too long (maximum is 65536 characters)' }],
  },
}

function ok(body: unknown): Reply {
  return { status: 200, body }
}

/** GitHub's pages: 30 unless asked, 100 at most, and a Link header as long as there is more. */
export function page(all: readonly object[], query: URLSearchParams, url: string): Reply {
  const size = Math.min(Number(query.get('per_page') ?? 30), 100)
  const number = Number(query.get('page') ?? 1)
  const last = Math.max(1, Math.ceil(all.length / size))
  const link = (to: number, relation: string) => `<${url}?per_page=${size}&page=${to}>; rel="${relation}"`
  return {
    ...ok(all.slice((number - 1) * size, number * size)),
    headers: number < last ? { link: `${link(number + 1, 'next')}, ${link(last, 'last')}` } : {},
  }
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  return text === '' ? undefined : JSON.parse(text)
}

function send(response: ServerResponse, { status, body, headers }: Reply): void {
  if (body instanceof Uint8Array || body === undefined) return void response.writeHead(status, headers).end(body)
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers })
  response.end(JSON.stringify(body))
}
