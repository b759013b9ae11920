import { oneLine } from '../text.js'

/** What a library said went wrong, on one line, to stand in parentheses inside our own message. */
export function reasonOf(error: unknown): string {
  const message = isObject(error) && 'message' in error ? String(error.message) : String(error)
  return oneLine(message)
}

/** Node's code of a failed system call (`ENOENT`) or built-in function (`ERR_…`). */
export function codeOf(error: unknown): string | undefined {
  return isObject(error) && 'code' in error ? String(error.code) : undefined
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
