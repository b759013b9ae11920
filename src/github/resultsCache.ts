import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { EvaluationFiles, EvaluationStore } from '../evaluationStore.js'
import { messageOf } from '../text.js'
import type { Environment } from './context.js'
import { watchRefusals } from './refusals.js'
import { within } from './within.js'

/** The part of `@actions/cache` that is used. */
export interface CacheToolkit {
  isFeatureAvailable(): boolean
  restoreCache(
    paths: string[],
    key: string,
    restoreKeys?: string[],
    options?: { readonly lookupOnly?: boolean },
  ): Promise<string | undefined>
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
 * It is not asked again, for each time it would be tried for half a minute and warned of.
 */
const patience = 10_000

/**
 * Milliseconds after which a call of the toolkit is given up. Its own five attempts take half a minute; but it waits without
 * end for the rest of an answer that has begun, and for a storage that takes no more.
 */
const lookUpWithin = 60_000
/** For 100 MB on a line of 4 Mbit/s. */
const moveWithin = 240_000

/**
 * GitHub's cache as a store of evaluations; undefined outside of a runner. GitHub hands out what was stored for the same
 * branch or a base of it: what a pull request's run has stored is its own.
 *
 * An entry of GitHub's cache never changes. So each has a name of its own below its key, and the newest one counts: what is
 * stored after an entry that nobody can use takes its place. What fails is left alone for the rest of the run.
 */
export function resultsCache(environment: Environment, effects: CacheEffects): EvaluationStore | undefined {
  const { RUNNER_TEMP: temporary, ACTIONS_RUNTIME_TOKEN: token } = environment
  if (!temporary || !token) return undefined
  // The toolkit takes entries of other paths for other entries.
  const folderOf = (key: string) => join(resolve(temporary), 'robustness-gate', key)
  const left = { find: false, keep: false }
  const missing = new Set<string>()
  const isSlow = (began: number) => effects.now() - began > patience
  const attempt = async <T>(
    what: keyof typeof left,
    key: string,
    work: (toolkit: CacheToolkit, folder: string) => Promise<T>,
  ) => {
    if (left[what]) return undefined
    const folder = folderOf(key)
    try {
      const toolkit = await effects.toolkit()
      if (!toolkit.isFeatureAvailable()) return undefined
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder, { recursive: true })
      return await work(toolkit, folder)
    } catch (error) {
      left.find = left.keep = true
      effects.warning(`The cache of results could not be used (${messageOf(error)}); models are evaluated anew.`)
      return undefined
    } finally {
      await rm(folder, { recursive: true, force: true }).catch(() => {})
    }
  }
  return {
    find: (key) =>
      attempt('find', key, async (toolkit, folder) => {
        const began = effects.now()
        // The toolkit answers likewise where there is nothing and where it could not read what there is, which it warns of.
        const { value: newest, refused } = await watchRefusals(() =>
          within(lookUpWithin, toolkit.restoreCache([folder], entries(key), [entries(key)], { lookupOnly: true })),
        )
        if (newest === undefined) {
          missing.add(key)
          if (refused || isSlow(began)) left.find = left.keep = true
        }
        if (!newest?.startsWith(entries(key))) return undefined
        const asked = effects.now()
        const restored = await watchRefusals(() => within(moveWithin, toolkit.restoreCache([folder], newest)))
        if (restored.value === newest) return readFiles(folder)
        left.find = true
        // An entry that cannot be unpacked is no fault of the service: the next one takes its place.
        if (restored.refused || isSlow(asked)) left.keep = true
        return undefined
      }),
    keep: async (key, files) => {
      await attempt('keep', key, async (toolkit, folder) => {
        for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content)
        const { GITHUB_RUN_ID: run = '', GITHUB_RUN_ATTEMPT: again = '' } = environment
        const name = entries(key) + (missing.has(key) ? 'first' : `${run}-${again}`)
        const asked = effects.now()
        const stored = await within(moveWithin, toolkit.saveCache([folder], name))
        if (stored >= 0) return
        left.keep = true
        // At once it says no where another job stores the same.
        if (isSlow(asked)) left.find = true
      })
    },
  }
}

/** What the names of all entries of a key begin with. */
function entries(key: string): string {
  return `robustness-gate-${key}-`
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
