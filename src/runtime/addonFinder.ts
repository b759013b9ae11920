import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { fetchAddon } from './fetchAddon.js'
import { findAddon, requireCuda } from './findAddon.js'
import type { Machine } from './findAddon.js'
import { npmClient } from './npm.js'
import { pinnedPackage } from './pinnedPackage.js'

/** Finds the addon for a child, and fetches it where that is needed: when the first child is started. */
export type FindAddon = (provider: 'cpu' | 'cuda') => Promise<string>

export interface AddonFinderOptions {
  /** `import.meta.url` of the bundle that runs. */
  readonly entry: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Folder of an installed package that is to be used; empty for none. */
  readonly installed: string
  readonly info: (message: string) => void
}

/** Looks once for all children of this process. */
export function addonFinder({ entry, environment, installed, info }: AddonFinderOptions): FindAddon {
  const machine = thisMachine()
  const { RUNNER_TOOL_CACHE: cache, RUNNER_TEMP: temporary } = environment
  const effects = {
    ...machine,
    npm: npmClient(environment, machine.platform),
    tools: () => import('@actions/tool-cache'),
    temporary: temporary || tmpdir(),
    info,
  }
  let found: Promise<string> | undefined
  const find = () =>
    (found ??= findAddon(pinnedPackage, {
      machine,
      // dist/, and what `npm ci` has installed beside it.
      own: ['../', '../../node_modules/onnxruntime-node/'].map((path) => fileURLToPath(new URL(path, entry))),
      installed,
      fetch: cache && temporary ? () => fetchAddon(pinnedPackage, effects) : undefined,
    }))
  return async (provider) => {
    const addon = await find()
    if (provider === 'cuda') await requireCuda(addon, pinnedPackage)
    return addon
  }
}

function thisMachine(): Machine {
  const { platform, arch } = process
  return { platform, arch, musl: platform === 'linux' && isMusl() }
}

/** The C library's own script names it. */
function isMusl(): boolean {
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl')
  } catch {
    return false
  }
}
