import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { EvaluationFiles, EvaluationStore } from '../evaluationStore.js'
import { messageOf } from '../text.js'
import type { Environment } from './context.js'

/** The part of `@actions/cache` that is used. */
export interface CacheToolkit {
  isFeatureAvailable(): boolean
  restoreCache(paths: string[], key: string): Promise<string | undefined>
  saveCache(paths: string[], key: string): Promise<number>
}

export interface CacheEffects {
  readonly toolkit: () => Promise<CacheToolkit>
  readonly warning: (message: string) => void
  /** Milliseconds, monotonic. */
  readonly now: () => number
}

/** The results of a million images stay below, and so do the adversarial examples that are kept. */
const largestFile = 2 ** 29

/**
 * A service that needs longer to say that it has nothing has failed: the toolkit says so in a warning and tells nobody else.
 * It is not asked again, for each time it would be tried for half a minute.
 */
const patience = 10_000

/**
 * GitHub's cache as a store of evaluations; undefined outside of a runner. GitHub hands out what was stored for the same
 * branch or a base of it: what a pull request's run has stored is its own.
 */
export function resultsCache(environment: Environment, effects: CacheEffects): EvaluationStore | undefined {
  const { RUNNER_TEMP: temporary, ACTIONS_RUNTIME_TOKEN: token } = environment
  if (!temporary || !token) return undefined
  // The toolkit takes entries of other paths for other entries.
  const folderOf = (key: string) => join(resolve(temporary), 'robustness-gate', key)
  let failed = false
  const attempt = async <T>(key: string, work: (toolkit: CacheToolkit, folder: string) => Promise<T>) => {
    if (failed) return undefined
    const folder = folderOf(key)
    try {
      const toolkit = await effects.toolkit()
      if (!toolkit.isFeatureAvailable()) return undefined
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      return await work(toolkit, folder)
    } catch (error) {
      failed = true
      effects.warning(`The cache of results could not be used (${messageOf(error)}); models are evaluated anew.`)
      return undefined
    } finally {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
    }
  }
  return {
    find: (key) =>
      attempt(key, async (toolkit, folder) => {
        const began = effects.now()
        const hit = await toolkit.restoreCache([folder], entry(key))
        if (hit === undefined && effects.now() - began > patience) failed = true
        return hit === entry(key) ? readFiles(folder) : undefined
      }),
    keep: async (key, files) => {
      await attempt(key, async (toolkit, folder) => {
        for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
        await toolkit.saveCache([folder], entry(key))
      })
    },
  }
}

function entry(key: string): string {
  return `robustness-gate-${key}`
}

/** An archive can hold anything: only regular files with our names count. */
async function readFiles(folder: string): Promise<EvaluationFiles> {
  const files: Record<string, Uint8Array> = {}
  for (const name of await readdir(folder)) {
    if (!/^(results\.json|adversarial-[\w.-]+\.npz)$/.test(name)) continue
    const info = await lstat(join(folder, name))
    if (info.isFile() && info.size <= largestFile) files[name] = await readFile(join(folder, name))
  }
  return files
}
