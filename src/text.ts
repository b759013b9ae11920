/** Text of foreign origin, fit for one line of a message: no line breaks, no terminal control, bounded. */
export function oneLine(text: string, characters = 1000): string {
  const line = text
    .replace(/\p{C}+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim()
  return line.length > characters ? `${line.slice(0, characters)}…` : line
}

/** What an exception says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * Text of foreign origin, fit for a line of a runner's log: the runner obeys lines that begin with `::`, and `##[…]`
 * wherever it stands. Broken by a space, since a search that goes by the rules of a language overlooks what is invisible.
 */
export function logLine(text: string): string {
  return oneLine(text).replaceAll('##[', '## [').replace(/^::/, ': :')
}
