/** Timers as a test wants them: nobody waits. */
export interface HeldTimers {
  /** Milliseconds that would have been waited until now. */
  readonly waited: () => number
  /**
   * Lets the shortest limit of those that hold pass, and what aborts requests: nobody knows which of them are over.
   *
   * @param longest - Milliseconds; longer limits hold on.
   */
  readonly passNext: (longest?: number) => void
  readonly restore: () => void
}

type Scope = Pick<typeof globalThis, 'setTimeout' | 'clearTimeout' | 'setInterval' | 'AbortSignal'>

/** Milliseconds. Waits between attempts are shorter; what is as long is a limit, which passes only when the test says so. */
const limit = 60_000

/**
 * Takes the place of a realm's timers. Waits of a second and more pass at once; limits never do, until `passNext`.
 *
 * Needs no transpiler: a child under Node 24 loads it as it is.
 */
export function holdTimers(scope: Scope): HeldTimers {
  const { setTimeout, clearTimeout, setInterval, AbortSignal } = scope
  const { timeout } = AbortSignal
  const held = new Map<unknown, { readonly milliseconds: number; readonly pass: () => void }>()
  const signals: { readonly milliseconds: number; readonly controller: AbortController }[] = []
  const intervals: NodeJS.Timeout[] = []
  let waited = 0
  scope.setTimeout = ((work: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]) => {
    if (milliseconds < 1000) return setTimeout(work, milliseconds, ...given)
    if (milliseconds < limit) {
      waited += milliseconds
      return setTimeout(work, 0, ...given)
    }
    // Keeps the program alive as it would have.
    const timer = setTimeout(work, milliseconds, ...given)
    held.set(timer, { milliseconds, pass: () => work(...given) })
    return timer
  }) as typeof setTimeout
  scope.clearTimeout = (timer) => {
    held.delete(timer)
    clearTimeout(timer)
  }
  scope.setInterval = ((...given: Parameters<typeof setInterval>) => {
    const interval = setInterval(...given)
    intervals.push(interval)
    return interval
  }) as typeof setInterval
  AbortSignal.timeout = (milliseconds) => {
    const controller = new AbortController()
    signals.push({ milliseconds, controller })
    return controller.signal
  }
  return {
    waited: () => waited,
    passNext(longest = Infinity) {
      for (const { milliseconds, controller } of signals)
        if (milliseconds <= longest) controller.abort(new DOMException('late', 'TimeoutError'))
      const [first] = [...held].sort(([, one], [, other]) => one.milliseconds - other.milliseconds)
      if (first === undefined || first[1].milliseconds > longest) return
      const [timer, { pass }] = first
      scope.clearTimeout(timer as NodeJS.Timeout)
      pass()
    },
    restore() {
      Object.assign(scope, { setTimeout, clearTimeout, setInterval })
      // Of what was given up.
      for (const timer of held.keys()) clearTimeout(timer as NodeJS.Timeout)
      for (const interval of intervals) clearInterval(interval)
      AbortSignal.timeout = timeout
    },
  }
}
