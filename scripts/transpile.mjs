import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from '@swc/core'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Transpiles src/ to .build/, file by file, so that plain Node can run it: what ncc bundles and what tests start as a child. */
export async function transpile() {
  const sources = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'))
  const kept = new Set(sources.map((name) => name.replace(/\.ts$/, '.js')))
  for (const name of await readdir(join(root, '.build'), { recursive: true }).catch(() => []))
    if (name.endsWith('.js') && !kept.has(name)) await rm(join(root, '.build', name))
  await Promise.all(
    sources.map(async (name) => {
      const { code } = await transform(await readFile(join(root, 'src', name), 'utf8'), {
        filename: name,
        configFile: false,
        swcrc: false,
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
      })
      const target = join(root, '.build', name.replace(/\.ts$/, '.js'))
      await mkdir(dirname(target), { recursive: true })
      await writeFile(`${target}.${process.pid}`, code)
      await rename(`${target}.${process.pid}`, target)
    }),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await transpile()
