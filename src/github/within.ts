import { Unreached } from '../remote/unreached.js'

/**
 * What comes of work that has a limit of time. Work that is given up cannot be ended from here: what it holds open ends with
 * the process.
 *
 * @throws Unreached when the time is over, and whatever the work throws before.
 */
export async function within<T>(milliseconds: number, work: Promise<T>, onLate: () => void = () => {}): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onLate()
      reject(new Unreached(`no whole answer within ${milliseconds / 60_000} min`))
    }, milliseconds)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
