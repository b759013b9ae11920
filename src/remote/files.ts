import { posix } from 'node:path'
import { withSlashes } from '../data/files.js'
import type { Files } from '../data/files.js'

/** Files that lie in no folder of this machine, and what leads to one of them. */
export interface Located {
  readonly files: Files
  readonly path: string
  /** For messages and results: no address, which may hold a secret. */
  readonly name: string
  /** Where it came from, for the report. */
  readonly how: string
}

/** One file that is in memory, alone in its folder. */
export function loneFile(name: string, bytes: Uint8Array): Files {
  const own = `/${name}`
  const isOwn = (path: string) => absolute(path) === own
  const absent = (path: string) => Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
  const isRoot = (path: string) => absolute(path) === '/'
  return {
    realpath: (path) => (isOwn(path) || isRoot(path) ? Promise.resolve(absolute(path)) : Promise.reject(absent(path))),
    stat: (path) =>
      isOwn(path) || isRoot(path)
        ? Promise.resolve({ isFile: () => isOwn(path), isDirectory: () => isRoot(path), size: bytes.length })
        : Promise.reject(absent(path)),
    readdir: (path) => (isRoot(path) ? Promise.resolve([name]) : Promise.reject(absent(path))),
    readFile: (path) => (isOwn(path) ? Promise.resolve(bytes) : Promise.reject(absent(path))),
  }
}

/** Shows `files` under a folder that is not there, beside all others: labels of a data set may lie somewhere else. */
export function mounted(folder: string, files: Files, others: Files): Files {
  const inside = (path: string): string | undefined => {
    const whole = absolute(path)
    if (whole === folder) return '/'
    return whole.startsWith(`${folder}/`) ? whole.slice(folder.length) : undefined
  }
  const either = <T>(path: string, ask: (files: Files, path: string) => Promise<T>): Promise<T> => {
    const own = inside(path)
    return own === undefined ? ask(others, path) : ask(files, own)
  }
  return {
    realpath: async (path) =>
      inside(path) === undefined ? others.realpath(path) : join(folder, await files.realpath(inside(path) ?? '/')),
    stat: (path) => either(path, (from, at) => from.stat(at)),
    readdir: (path) => either(path, (from, at) => from.readdir(at)),
    readFile: (path) => either(path, (from, at) => from.readFile(at)),
  }
}

function join(folder: string, path: string): string {
  return posix.join(folder, path)
}

/** With slashes, as if there were no other system. */
function absolute(path: string): string {
  return posix.resolve('/', withSlashes(path))
}
