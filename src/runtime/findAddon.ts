import { readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '../errors.js'
import { addonPath } from './fetchAddon.js'
import type { PinnedPackage } from './fetchAddon.js'

/** The machine, as far as it decides which addon it can load. */
export interface Machine {
  readonly platform: string
  readonly arch: string
  /** Linux without glibc. */
  readonly musl: boolean
}

export interface AddonPlaces {
  readonly machine: Machine
  /** Folders laid out like the package, the first that has the addon counts: what this program brings along. */
  readonly own: readonly string[]
  /** Folder of an installed package that is to be used instead; empty for none. */
  readonly installed: string
  /** Fetches the folder with the addon; undefined where nothing can be kept. */
  readonly fetch?: () => Promise<string>
}

export const binding = 'onnxruntime_binding.node'

/** What the package has an addon for. */
const builds: readonly string[] = ['linux x64', 'linux arm64', 'darwin arm64', 'win32 x64', 'win32 arm64']

/**
 * Absolute path of onnxruntime's addon for this machine.
 *
 * @throws UsageError where there is none.
 */
export async function findAddon(pinned: PinnedPackage, places: AddonPlaces): Promise<string> {
  const { machine, own, installed, fetch } = places
  const { platform, arch, musl } = machine
  const inPackage = join(addonPath(platform, arch), binding)
  if (!builds.includes(`${platform} ${arch}`) || musl)
    throw new UsageError(
      `onnxruntime ${pinned.version} has no build for ${musl ? 'Linux without glibc (Alpine)' : `${platform} ${arch}`}; run the gate on Linux with glibc (x64, arm64), macOS on Apple silicon or Windows`,
    )
  if (installed !== '') {
    await requireVersion(installed, pinned)
    const addon = resolve(installed, inPackage)
    if (await exists(addon)) return addon
    throw new UsageError(`input onnxruntime: ${installed} has no addon for ${platform} ${arch} (${inPackage})`)
  }
  for (const folder of own) {
    const addon = join(folder, inPackage)
    if (await exists(addon)) return addon
  }
  if (fetch !== undefined) return join(await fetch(), binding)
  throw new UsageError(
    `onnxruntime for ${platform} ${arch} is not here: run \`npm ci\` in the folder of this program, or let ROBUSTNESS_GATE_ONNXRUNTIME name the folder of an installed ${pinned.name} ${pinned.version}`,
  )
}

/** What onnxruntime runs models on a graphics card with: too large for the package, its install script downloads it. */
const cudaLibrary = 'libonnxruntime_providers_cuda.so'

/**
 * @param addon - As of `findAddon`.
 * @throws UsageError where it lacks what it needs for CUDA.
 */
export async function requireCuda(addon: string, { name, version }: PinnedPackage): Promise<void> {
  if (await exists(join(addon, '..', cudaLibrary))) return
  throw new UsageError(
    `execution-provider cuda: ${cudaLibrary} is not beside onnxruntime; on the runner (Linux x64 with an NVIDIA driver, CUDA 12 and cuDNN 9) run \`npm install ${name}@${version} --onnxruntime-node-install=cuda12\`, and give the input onnxruntime its folder`,
  )
}

async function requireVersion(installed: string, { name, version }: PinnedPackage): Promise<void> {
  const text = await readFile(join(installed, 'package.json'), 'utf8').catch(() => '')
  const found = versionIn(text, name)
  if (found === version) return
  const what = found === undefined ? `is no folder of an installed ${name}` : `holds ${name} ${found}`
  throw new UsageError(`input onnxruntime: ${installed} ${what}; give it one of version ${version}`)
}

function versionIn(text: string, wanted: string): string | undefined {
  try {
    const { name, version } = JSON.parse(text) as Partial<Record<'name' | 'version', unknown>>
    return name === wanted && typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() === true
}
