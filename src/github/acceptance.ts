import type { Answer } from '../comparison/acceptance.js'
import { moment } from '../report/acceptance.js'
import type { Client } from './client.js'
import type { Event } from './context.js'
import { everyOne } from './pages.js'
import { pullRequestsOf } from './pullRequests.js'
import { earliest, reportedOn } from './reported.js'
import type { Judgement } from './reported.js'

/** What is asked for: whether somebody let this model through. */
export interface Question extends Judgement {
  readonly label: string
}

/** Each is a request; who has more commits than this after the report sets the label again. */
const mostCommits = 50

/**
 * Asks GitHub whether a person has accepted a model that would fail: with a label on the pull request that is there now,
 * and was set after the gate had reported this very model there. What the event's payload says of labels may be old, and is
 * not asked.
 *
 * @returns Undefined where there is nobody to ask.
 * @throws whatever the API does.
 */
export async function acceptanceOf(client: Client, event: Event, question: Question): Promise<Answer | undefined> {
  const concerned = await pullRequestsOf(client, event)
  if ('reason' in concerned)
    return concerned.reason === undefined
      ? undefined
      : { appeal: `${concerned.reason} So no label “${question.label}” can have accepted this.` }
  const { numbers, formerHeadSha } = concerned
  const first = await answerOn(client, numbers[0], question, event, formerHeadSha)
  if ('acceptance' in first) return first
  for (const number of numbers.slice(1)) {
    const answer = await answerOn(client, number, question, event)
    if ('acceptance' in answer) return answer
  }
  return first
}

async function answerOn(
  client: Client,
  number: number,
  question: Question,
  event: Event,
  formerHeadSha?: string,
): Promise<Answer> {
  const { label } = question
  const { octokit, repository } = client
  const { data: pull } = await octokit.rest.pulls.get({ ...repository, pull_number: number })
  if (!pull.labels.some(({ name }) => isSame(name, label))) return { appeal: howToAccept(label, number, event) }
  const set = await lastSet(client, number, label)
  const again = `To accept this model, take the label off and set it again${afterwards(event)}.`
  if (set === undefined)
    return { appeal: `The label “${label}” is there, but GitHub does not say who set it. ${again}` }
  const { who, when } = set
  const wasSet = `The label “${label}” was set by ${who} on ${moment(when)}`
  if (set.isBot) return { appeal: `${wasSet}, which is no person, and so cannot accept anything. ${again}` }
  const commits = commitsOf(client, number, [pull.head.sha, formerHeadSha])
  const reported = await firstReport(client, number, commits, question, when)
  if (reported !== undefined && Date.parse(reported) < Date.parse(when)) {
    const byAuthor = (pull.user as typeof pull.user | null)?.login === who
    return { acceptance: { who, when, label, pullRequest: number, ...(byAuthor && { byAuthor }), reported } }
  }
  const before =
    reported === undefined
      ? 'before the gate had told of this model in a check run on the pull request'
      : `before the gate first told of this model, on ${moment(reported)}`
  return { appeal: `${wasSet}, ${before}; a new model needs a new decision. ${again}` }
}

/** When a gate first told of a model; once a report from before `when` is found, older ones are not looked for. */
async function firstReport(
  client: Client,
  number: number,
  commits: AsyncIterable<string>,
  judgement: Judgement,
  when: string,
): Promise<string | undefined> {
  let first: string | undefined
  for await (const commit of commits) {
    const reported = await reportedOn(client, number, commit, judgement)
    first = earliest([first, reported].filter((time) => time !== undefined))
    if (first !== undefined && Date.parse(first) < Date.parse(when)) break
  }
  return first
}

/** GitHub takes two labels that differ in capitals alone for one. */
function isSame(one: string | undefined, other: string): boolean {
  return one?.toLowerCase() === other.toLowerCase()
}

function howToAccept(label: string, number: number, event: Event): string {
  return `If this is intended, somebody who may set labels can accept it, for this model alone: with the label “${label}” on pull request ${number}${afterwards(event)}.`
}

/**
 * How to accept what a run without a token has found, such as the first of two workflows; undefined where no label could.
 */
export function howToAcceptUnasked(label: string, event: Event): string | undefined {
  if (event.kind !== 'pull_request') return undefined
  return `${howToAccept(label, event.number, event)} This job has no github-token and does not ask for it: the workflow that publishes its results (mode: publish) asks GitHub, and the check run there tells the answer.`
}

/** The events of labels start the workflow on the pull request only. */
function afterwards({ kind }: Event): string {
  if (kind === 'merge_group') return ', which then has to be queued again'
  return kind === 'push' ? ', and run this job again' : ''
}

interface LabelSetting {
  readonly who: string
  readonly isBot: boolean
  readonly when: string
}

/** Who set the label that is there now; undefined when the events do not tell. */
async function lastSet(
  { octokit, repository }: Client,
  number: number,
  label: string,
): Promise<LabelSetting | undefined> {
  const place = { ...repository, issue_number: number, per_page: 100 }
  const events = await everyOne((page) => octokit.rest.issues.listEvents({ ...place, page }))
  const last = events
    .filter((one) => 'label' in one && isSame(one.label.name, label))
    .toSorted((one, other) => one.id - other.id)
    .at(-1)
  if (last === undefined || last.event !== 'labeled') return undefined
  // GitHub has none where the account was deleted since.
  const actor = last.actor as typeof last.actor | null
  return { who: actor?.login ?? 'ghost', isBot: actor?.type === 'Bot', when: last.created_at }
}

/** The commits of a pull request that may have a report, each once, the likeliest first, and none asked for in vain. */
async function* commitsOf(
  { octokit, repository }: Client,
  number: number,
  first: readonly (string | undefined)[],
): AsyncGenerator<string> {
  const known = new Set(first.filter((commit) => commit !== undefined))
  yield* known
  const place = { ...repository, pull_number: number, per_page: 100 }
  const commits = await everyOne((page) => octokit.rest.pulls.listCommits({ ...place, page }))
  const others = commits.map(({ sha }) => sha).filter((commit) => !known.has(commit))
  yield* others.toReversed().slice(0, mostCommits)
}
