import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Writes version and integrity of onnxruntime-node, as package-lock.json has them, into the source that fetches it.
 *
 *     node scripts/pinnedRuntime.mjs
 */

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const name = 'onnxruntime-node'

export async function pinRuntime(target = join(root, 'src/runtime/pinnedPackage.ts')) {
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'))
  const { version, integrity } = packages[`node_modules/${name}`]
  if (!/^sha512-[\w+/]{86}==$/.test(integrity)) throw new Error(`package-lock.json has no sha512 of ${name}`)
  const text = `import type { PinnedPackage } from './fetchAddon.js'

/** Written by scripts/pinnedRuntime.mjs from package-lock.json. */
export const pinnedPackage: PinnedPackage = {
  name: '${name}',
  version: '${version}',
  integrity: '${integrity}',
}
`
  const present = await readFile(target, 'utf8').catch(() => undefined)
  if (present !== text) await writeFile(target, text)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await pinRuntime()
