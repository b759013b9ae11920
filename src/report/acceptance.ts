import type { Acceptance } from '../comparison/types.js'

/** Who accepted a model, when and how, in one sentence. Not escaped yet. */
export function acceptanceSentence({ who, when, label, pullRequest, byAuthor, reported }: Acceptance): string {
  const parts = [
    `Accepted by ${who}`,
    ...(byAuthor ? ['who also opened the pull request'] : []),
    [
      when === '' ? '' : `on ${moment(when)}`,
      label === undefined ? '' : ` with the label “${label}”`,
      pullRequest === undefined ? '' : ` on pull request ${pullRequest}`,
    ].join(''),
    ...(reported === undefined ? [] : [`after this model had been reported there on ${moment(reported)}`]),
  ]
  return `${parts.filter((part) => part !== '').join(', ')}.`
}

/** `2026-01-01T10:00:00Z` for people. What is none stays what it is. */
export function moment(time: string): string {
  const [, day, minute] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::\d\d(?:\.\d+)?)?Z$/.exec(time) ?? []
  return day === undefined ? time : `${day} at ${minute} UTC`
}
