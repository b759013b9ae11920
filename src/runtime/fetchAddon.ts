import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UsageError } from '../errors.js'
import { messageOf, oneLine } from '../text.js'

/** One version of a package, and what its archive must be. */
export interface PinnedPackage {
  readonly name: string
  readonly version: string
  /** `sha512-…`, as a lock file has it. */
  readonly integrity: string
}

/** The part of `@actions/tool-cache` that is used. */
export interface ToolCache {
  find(tool: string, version: string, arch?: string): string
  extractTar(file: string, destination?: string): Promise<string>
  cacheDir(folder: string, tool: string, version: string, arch?: string): Promise<string>
}

export interface FetchEffects {
  readonly platform: string
  readonly arch: string
  /** Runs the machine's npm client in a folder. @throws when it fails, with its last words. */
  readonly npm: (command: readonly string[], folder: string) => Promise<void>
  readonly tools: () => Promise<ToolCache>
  /** Folder for what is needed for a moment. */
  readonly temporary: string
  readonly info: (message: string) => void
}

/**
 * The folder with the addon for this machine, from the tool cache. The first job on a machine fetches the package with the
 * machine's own npm client, by whose settings the registry is chosen; what it brings is unpacked only if it is the very
 * archive that the lock file names.
 *
 * @throws UsageError when it cannot be fetched, or is another.
 */
export async function fetchAddon(pinned: PinnedPackage, effects: FetchEffects): Promise<string> {
  const { name, version } = pinned
  const { platform, arch } = effects
  const tools = await effects.tools()
  const present = tools.find(name, version, arch)
  if (present !== '') return present
  effects.info(`Fetching ${name} ${version} for ${platform} ${arch} with npm.`)
  const folder = await mkdtemp(join(effects.temporary, 'onnxruntime-'))
  try {
    const archive = await packed(pinned, folder, effects)
    await verify(archive, pinned)
    const unpacked = await tools.extractTar(archive, join(folder, 'unpacked'))
    return await tools.cacheDir(join(unpacked, 'package', addonPath(platform, arch)), name, version, arch)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Where a package keeps the addon. */
export function addonPath(platform: string, arch: string): string {
  return join('bin', 'napi-v6', platform, arch)
}

async function packed(
  { name, version }: PinnedPackage,
  folder: string,
  { npm }: Pick<FetchEffects, 'npm'>,
): Promise<string> {
  const archive = join(folder, `${name}-${version}.tgz`)
  try {
    await npm(['pack', `${name}@${version}`, '--ignore-scripts'], folder)
    await stat(archive)
    return archive
  } catch (error) {
    throw new UsageError(
      `${name} ${version} could not be fetched with npm (${oneLine(messageOf(error), 300)}); give npm a registry that has it, or the input onnxruntime the folder of an installed one`,
      { cause: error },
    )
  }
}

async function verify(archive: string, { name, version, integrity }: PinnedPackage): Promise<void> {
  const hash = createHash('sha512')
  await pipeline(createReadStream(archive), hash)
  if (`sha512-${hash.digest('base64')}` === integrity) return
  throw new UsageError(
    `${name} ${version}: what npm fetched is not the package that was tested (its sha512 differs), so it is not unpacked; check npm’s registry`,
  )
}
