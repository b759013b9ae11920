import { failureOf } from './failure.js'
import type { ExitStatus } from './failure.js'
import type { Io } from './io.js'

/**
 * Does a command for each of a config's models, one after the other; one that breaks does not stop the others.
 *
 * @returns the worst status
 */
export async function forEachModel(
  names: readonly string[],
  command: (name: string) => Promise<ExitStatus>,
  { stdout, stderr }: Pick<Io, 'stdout' | 'stderr'>,
): Promise<ExitStatus> {
  let worst: ExitStatus = 0
  for (const name of names) {
    stdout(`${name === names[0] ? '' : '\n'}${name}\n\n`)
    const status = await command(name).catch((error: unknown) => {
      const { status: failed, line } = failureOf(error)
      stderr(`robustness-gate: ${name}: ${line ?? ''}\n`)
      return failed
    })
    if (status > worst) worst = status
  }
  return worst
}
