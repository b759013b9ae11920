/** Text of foreign origin, fit for one line of a message: no line breaks, no terminal control, bounded. */
export function oneLine(text: string, characters = 1000): string {
  const line = text
    .replace(/\p{C}+/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim()
  return line.length > characters ? `${line.slice(0, characters)}…` : line
}
