/** What a library said went wrong, on one line, to stand in parentheses inside our own message. */
export function reasonOf(error: unknown): string {
  const message = isObject(error) && 'message' in error ? String(error.message) : String(error)
  return oneLine(message)
}

/** Text of a stranger's file for a message of one line: without line breaks, which could pass for our own output. */
export function oneLine(text: string): string {
  return text.replace(/[\s\p{Cc}]+/gu, ' ').trim()
}

/** Node's code of a failed system call (`ENOENT`) or built-in function (`ERR_…`). */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) && 'code' in error ? String(error.code) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
