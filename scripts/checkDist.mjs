import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from './build.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/**
 * GitHub runs dist/, reviewers read src/: the one must be what the other builds, to the byte, on any machine. (A path of
 * the machine that built it would show up here as a difference.)
 */
const fresh = await mkdtemp(join(tmpdir(), 'robustness-gate-dist-'))
try {
  await build(fresh)
  const complaints = await differences(fresh, join(root, 'dist'))
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) {
    console.error('dist/ is not what the sources build: run `npm run build` and commit dist/.')
    process.exitCode = 1
  }
} finally {
  await rm(fresh, { recursive: true, force: true })
}

async function differences(built, committed) {
  const names = [...new Set([...(await filesOf(built)), ...(await filesOf(committed))])].sort()
  const found = await Promise.all(
    names.map(async (name) => {
      const [wanted, present] = await Promise.all([built, committed].map((folder) => contentOf(join(folder, name))))
      if (wanted === undefined) return `dist/${name}: not built from any source`
      if (present === undefined) return `dist/${name}: missing`
      return wanted.equals(present) ? undefined : `dist/${name}: differs`
    }),
  )
  return found.filter((complaint) => complaint !== undefined)
}

async function filesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

async function contentOf(path) {
  return readFile(path).catch(() => undefined)
}
