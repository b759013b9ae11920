import { plain } from './escape.js'

/** Pieces of markdown. Every text that enters is already escaped. */

/** A table; the first column and those in `left` are aligned to the left, the others to the right. */
export function table(header: readonly string[], lines: readonly (readonly string[])[]): string {
  if (lines.length === 0) return ''
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  const rule = header.map((_, place) => (place === 0 ? ':--' : '--:'))
  return [row(header), row(rule), ...lines.map(row)].join('\n')
}

export function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n')
}

/** Folded away until a reader asks. The blank lines make GitHub read what is inside as markdown. */
export function folded(summary: string, parts: readonly string[]): string {
  const content = blocks(parts)
  return content === '' ? '' : `<details>\n<summary>${summary}</summary>\n\n${content}\n\n</details>`
}

/** Blocks with an empty line between them, empty ones left out. */
export function blocks(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n')
}

/** `3, 7, 12 and 340 more` */
export function listed(indices: readonly number[], limit: number): string {
  const shown = indices.slice(0, limit).join(', ')
  return indices.length > limit ? `${shown} and ${indices.length - limit} more` : shown
}

export interface Link {
  readonly text: string
  /** http or https; anything else is left out. */
  readonly url: string
}

/** Links to our own places (the run, the artifact), from the caller and not from a model. */
export function links(list: readonly Link[]): string {
  return list
    .filter(({ url }) => /^https?:\/\/[^\s<>()[\]|]+$/.test(url))
    .map(({ text, url }) => `[${plain(text, 80).replace(/[[\]\\`<>|]/g, '')}](${url})`)
    .join(' · ')
}

/**
 * The first of the texts that is under the limit in UTF-8 bytes (and so in characters), most detailed first. The last one must
 * be short by construction.
 */
export function firstThatFits<Detail>(
  details: readonly Detail[],
  limit: number,
  render: (detail: Detail) => string,
): string {
  const size = (text: string) => new TextEncoder().encode(text).length
  let text = ''
  for (const detail of details) {
    text = render(detail)
    if (size(text) < limit) return text
  }
  throw new Error(`the shortest report is ${size(text)} bytes long, over its limit of ${limit}`)
}

/** The last resort before a limit that is not ours: what is longer ends after its last whole line that fits, with a word about it. */
export function cut(text: string, limit: number): string {
  // Bytes: whoever counts characters gets no more of them.
  const bytes = Buffer.from(text)
  if (bytes.length <= limit) return text
  const kept = bytes.subarray(0, limit - CUT.length).toString('utf8')
  return `${kept.slice(0, Math.max(0, kept.lastIndexOf('\n')))}${CUT}`
}

const CUT = '\n\nThe rest of this report was too long to be shown here.\n'
