import { lstat } from 'node:fs/promises'
import { codeOf } from '../data/reason.js'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import type { ConfigText } from './governed.js'

/**
 * Refuses a pull request without the model that the base commit's config names, with what to do: it may have moved the model, and
 * have changed the config with it, which does not count yet.
 *
 * @param path - Absolute.
 * @param named - As the config has it.
 * @param readConfig - Only asked where the model is not there. Of a config that the pull request adds nothing is said here.
 * @throws UsageError
 */
export async function refuseMoved(
  path: string,
  named: string,
  readConfig: () => Promise<ConfigText | undefined>,
): Promise<void> {
  const code = await lstat(path).then(
    () => undefined,
    (error: unknown) => codeOf(error),
  )
  if (code !== 'ENOENT' && code !== 'ENOTDIR') return
  if ((await readConfig())?.ofBase !== true) return
  throw new UsageError(
    `model ${oneLine(named, 200)}: is not here, and the config of the base commit, which a pull request is judged by, names it; to move a model, give its new path as the input model, or keep the old file until the config on the base branch names the new one`,
  )
}
