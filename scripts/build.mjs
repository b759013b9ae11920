import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ncc from '@vercel/ncc'
import { pinRuntime } from './pinnedRuntime.mjs'
import { transpile } from './transpile.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Folder in dist/ → entry in .build/. The worker is a file of its own: it is started as a child process. */
const bundles = { main: 'main.js', cli: 'cli.js', worker: 'engine/worker.js' }

/** What ncc leaves outside the bundles; the worker is told where it is. */
const addon = 'bin/napi-v6/linux/x64'
const native = ['onnxruntime_binding.node', 'libonnxruntime.so.1']
/** The npm package has none; these are those of the same release. */
const notices = ['LICENSE', 'ThirdPartyNotices.txt']

/** Builds what GitHub runs, from src/ into `target`. The same sources give the same bytes. */
export async function build(target = join(root, 'dist')) {
  await pinRuntime()
  await transpile()
  for (const [folder, entry] of Object.entries(bundles)) {
    const { code, assets } = await ncc(join(root, '.build', entry), {
      cache: false,
      esm: true,
      license: 'licenses.txt',
      quiet: true,
      sourceMap: false,
    })
    await rm(join(target, folder), { recursive: true, force: true })
    const bundle = withoutSourceMaps(code)
    await write(join(target, folder, 'index.js'), folder === 'worker' ? toldOfAddon(bundle) : bundle)
    for (const [name, { source }] of Object.entries(assets)) await write(join(target, folder, name), source)
  }
  const copies = [
    ...native.map((name) => [join(root, 'node_modules/onnxruntime-node', addon, name), name]),
    ...notices.map((name) => [join(root, 'notices/onnxruntime', name), name]),
  ]
  for (const [source, name] of copies) await copyWhenDifferent(source, join(target, addon, name))
}

/** The bundled packages name maps that are not shipped. */
function withoutSourceMaps(code) {
  return code.replace(/^\/\/# sourceMappingURL=.*\n/gm, '')
}

/** onnxruntime-node requires its addon from a folder of its package, which the bundle is not in. */
function toldOfAddon(code) {
  const required = '(`../bin/napi-v6/${process.platform}/${process.arch}/onnxruntime_binding.node`)'
  if (code.split(required).length !== 2) throw new Error('onnxruntime-node requires its addon in another way')
  return code.replace(required, '(process.argv[2])')
}

async function copyWhenDifferent(source, target) {
  const [wanted, present] = await Promise.all([readFile(source), readFile(target).catch(() => undefined)])
  if (present === undefined || !wanted.equals(present)) await write(target, wanted)
}

async function write(path, content) {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, content)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build()
