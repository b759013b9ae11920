import { prose } from '../report/escape.js'
import { blocks, links, table } from '../report/layout.js'
import type { Section } from './sections.js'
import { shortHash } from './sections.js'

/** What a comment has to say, and when it has to say it. */
export interface CommentContent {
  readonly markdown: string
  /** Of all verdicts and figures in it. */
  readonly digest: string
  /** Whether a comment is due where there is none yet. */
  readonly opens: boolean
  /** Whether the same verdicts and figures in other words are no reason to write. */
  readonly onlyOnChange: boolean
}

/** What one section may be cut to before others are left out. */
const leastSection = 1_500

/**
 * One comment for all gates of a commit: a single gate's report as it is; of several a table of verdicts, then a part for
 * each. Its size in UTF-8 stays under `limit`: reports are shortened block by block, the longest first; what does not fit
 * even so is counted.
 *
 * @param sections - By name.
 * @param checksUrl - Where all checks are listed.
 * @returns Undefined when no gate wants to be in a comment.
 */
export function project(sections: readonly Section[], checksUrl: string, limit: number): CommentContent | undefined {
  const shown = sections.filter(({ mark }) => mark.comment !== 'never')
  if (shown.length === 0) return undefined
  const [first] = shown
  return {
    markdown: shown.length === 1 ? shorten(first.markdown, limit, first.url) : several(shown, checksUrl, limit),
    digest: shortHash(shown.map(({ key, mark }) => [key, mark.digest])),
    opens: shown.some(({ mark }) => mark.comment !== 'on-failure' || mark.fails),
    onlyOnChange: shown.every(({ mark }) => mark.comment === 'on-change'),
  }
}

function several(sections: readonly Section[], checksUrl: string, limit: number): string {
  // Half of the room for the table at most: a line of it is what a gate has at least.
  const lines = fitting(
    sections.map(({ name, title, url }) => [prose(name, 80), prose(title, 300), linkTo('details', url)]),
    limit / 2,
  )
  const index = blocks([
    table(['Gate', 'Verdict', ''], lines).replace('--:', ':--'),
    leftOut(sections.length - lines.length, 'more gates', checksUrl),
  ])
  const heads = sections.map((section) => `### ${prose(section.name, 100)}\n\n`)
  const room = limit - bytes(index) - 400
  const given = allot(
    sections.map(({ markdown }, place) => bytes(heads[place] + markdown) + 2),
    room,
  )
  const parts = sections
    .slice(0, given.length)
    .map(({ markdown, url }, place) => heads[place] + shorten(markdown, given[place] - bytes(heads[place]) - 2, url))
  return `${blocks([index, ...parts.map((part) => part.trimEnd()), leftOut(sections.length - given.length, 'reports', checksUrl)])}\n`
}

function linkTo(text: string, url = ''): string {
  return links([{ text, url }])
}

function leftOut(count: number, what: string, url: string): string {
  if (count <= 0) return ''
  return `…and ${count} ${what} that do not fit here: ${linkTo('all checks', url) || 'see the checks'}.`
}

/** The first lines that are together not longer than `limit`. */
function fitting(lines: readonly (readonly string[])[], limit: number): readonly (readonly string[])[] {
  let used = 0
  const place = lines.findIndex((cells) => (used += bytes(cells.join(' | ')) + 6) > limit)
  return place < 0 ? lines : lines.slice(0, place)
}

/** Bytes for each of the first sections: short ones get what they need, long ones share the rest evenly. */
function allot(needed: readonly number[], room: number): readonly number[] {
  const count = Math.min(needed.length, Math.max(1, Math.floor(room / leastSection)))
  const given = new Array<number>(count).fill(0)
  let left = room
  const shortestFirst = [...given.keys()].sort((one, other) => needed[one] - needed[other])
  shortestFirst.forEach((place, done) => {
    given[place] = Math.min(needed[place], Math.floor(left / (count - done)))
    left -= given[place]
  })
  return given
}

/**
 * The first whole blocks of a report that fit, with a word about the rest. What is folded is left out as a whole: half of it
 * would swallow what comes after.
 */
export function shorten(markdown: string, limit: number, url?: string): string {
  if (bytes(markdown) <= limit) return markdown
  const more = `\n\nThe rest of this report did not fit here: ${linkTo('the check run', url) || 'it is in the check run'}.\n`
  let room = limit - bytes(more)
  let depth = 0
  let kept = 0
  const parts = markdown.trimEnd().split('\n\n')
  for (const [place, part] of parts.entries()) {
    room -= bytes(part) + 2
    if (room < 0) break
    depth += (part.match(/<details>/g) ?? []).length - (part.match(/<\/details>/g) ?? []).length
    if (depth === 0) kept = place + 1
  }
  return parts.slice(0, kept).join('\n\n') + more
}

function bytes(text: string): number {
  return Buffer.byteLength(text)
}
