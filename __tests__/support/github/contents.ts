import { execFileSync } from 'node:child_process'
import { gitEnvironment } from './repository.js'
import type { Extension } from './loopback.js'

/** What GitHub's interface shows of the commits of a repository: folders, files, and where two commits have parted. */
export function repositoryContents(folder: string): Extension {
  const git = (...args: string[]): Buffer =>
    execFileSync('git', args, { cwd: folder, env: gitEnvironment, stdio: 'pipe' })
  const attempt = <T>(call: () => T): T | undefined => {
    try {
      return call()
    } catch {
      return undefined
    }
  }
  return {
    file(path, { accept = '' }, query) {
      const name = /^\/repos\/[^/]+\/[^/]+\/contents\/(.+)$/.exec(path)?.[1]
      if (name === undefined || !accept.includes('raw')) return undefined
      return attempt(() => git('cat-file', 'blob', `${query.get('ref')}:${decodeURIComponent(name)}`))
    },
    perform({ operation: { id, path }, query }, base) {
      if (id === 'repos/compare-commits') {
        const at = attempt(() => git('merge-base', path.base, path.head).toString().trim())
        return at === undefined ? undefined : { status: 200, body: comparison(base, at) }
      }
      if (id !== 'repos/get-content') return undefined
      const where = path.path === '' ? `${query.get('ref')}` : `${query.get('ref')}:${path.path}`
      const listed = attempt(() => git('ls-tree', '-z', '-l', where).toString())
      if (listed === undefined) return undefined
      const lines = listed.split('\0').filter(Boolean)
      // GitHub leaves out what comes after.
      return { status: 200, body: lines.slice(0, 1000).map((line) => entry(base, path.path, line)) }
    },
  }
}

function entry(base: string, folder: string, line: string): object {
  const tab = line.indexOf('\t')
  const [mode, kind, sha, size] = line.slice(0, tab).split(/ +/)
  const name = line.slice(tab + 1)
  const url = `${base}/${sha}`
  const links = { self: url, git: url, html: url }
  return {
    ...{ type: mode === '120000' ? 'symlink' : kind === 'tree' ? 'dir' : 'file', size: Number(size) || 0, name, sha },
    ...{ path: folder === '' ? name : `${folder}/${name}`, _links: links },
    ...{ url, git_url: url, html_url: url, download_url: kind === 'blob' ? url : null },
  }
}

/** What GitHub says of two commits that have parted here. */
export function comparison(base: string, mergeBase: string): object {
  const url = `${base}/${mergeBase}`
  const person = { name: 'Mona', email: 'mona@example.com', date: '2026-01-01T00:00:00Z' }
  const commit = {
    ...{ url, sha: mergeBase, node_id: 'C_1', html_url: url, comments_url: url, author: null, committer: null },
    ...{ parents: [], commit: { url, author: person, committer: person, message: '', comment_count: 0 } },
  }
  const described = { ...commit, commit: { ...commit.commit, tree: { sha: mergeBase, url } } }
  return {
    ...{ url, html_url: url, permalink_url: url, diff_url: url, patch_url: url, status: 'diverged' },
    ...{ ahead_by: 1, behind_by: 0, total_commits: 1, commits: [], files: [] },
    ...{ base_commit: described, merge_base_commit: described },
  }
}
