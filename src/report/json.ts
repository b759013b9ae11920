/**
 * JSON for files: two spaces, keys in the order of the contract (in which the objects are built), and lists of numbers on one
 * line, because ten thousand image indices one a line help nobody.
 */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, undefined, 2)
  // No string is touched: inside a string JSON has no raw newline.
  const compact = text.replace(
    /\[\n\s*(-?\d[^"[\]{}]*?)\n\s*\]/g,
    (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`,
  )
  return `${compact}\n`
}
