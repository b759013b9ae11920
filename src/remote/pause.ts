/** Waits, but not beyond the signal. */
export type Pause = (milliseconds: number, signal?: AbortSignal) => Promise<void>

export const pause: Pause = (milliseconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    if (signal?.aborted) end()
    signal?.addEventListener('abort', end, { once: true })
  })
