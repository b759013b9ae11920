import type { Flag } from '../engine/messages.js'

/** One flag for each code and message, its samples united; in an order that does not depend on who spoke first. */
export function mergeFlags(flags: readonly Flag[]): Flag[] {
  const merged = new Map<string, Flag>()
  for (const flag of flags) {
    const key = JSON.stringify([flag.code, flag.message])
    const samples = new Set([...(merged.get(key)?.samples ?? []), ...(flag.samples ?? [])])
    merged.set(key, {
      code: flag.code,
      message: flag.message,
      ...(samples.size === 0 ? {} : { samples: [...samples].sort((a, b) => a - b) }),
    })
  }
  return [...merged].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, flag]) => flag)
}
