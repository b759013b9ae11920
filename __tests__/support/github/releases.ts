import type { Extension } from './loopback.js'
import { user } from './objects.js'

export interface ReleaseFile {
  readonly content: Uint8Array
  /** What GitHub has reckoned; older files have none. */
  readonly digest?: string
}

const someTime = '2026-01-01T00:00:00Z'

/**
 * A repository with one release. The storage behind it refuses tokens.
 *
 * @param direct - There is no storage: the interface gives the files itself, as an Enterprise Server may.
 */
export function release(tag: string, files: Readonly<Record<string, ReleaseFile>>, direct = false): Extension {
  const names = Object.keys(files)
  return {
    file(path, { authorization, accept }) {
      const own = /^\/repos\/[^/]+\/[^/]+\/releases\/assets\/(\d+)$/.exec(path)?.[1]
      if (direct && own !== undefined && accept === 'application/octet-stream')
        return authorization === undefined
          ? 'a release was asked for without a token'
          : files[names[Number(own)]].content
      const place = /^\/released\/(\d+)$/.exec(path)?.[1]
      if (place === undefined) return undefined
      return authorization === undefined ? files[names[Number(place)]].content : 'the storage was given a token'
    },
    perform({ operation }, base) {
      const url = `${base}/repos/Codertocat/Hello-World/releases`
      const asset = (name: string, id: number): object => ({
        ...{ url: `${url}/assets/${id}`, browser_download_url: `${url}/assets/${id}`, id, node_id: `RA_${id}` },
        ...{ name, label: '', state: 'uploaded', content_type: 'application/octet-stream', download_count: 0 },
        ...{ size: files[name].content.length, digest: files[name].digest ?? null, uploader: user(base, 'someone') },
        ...{ created_at: someTime, updated_at: someTime },
      })
      const found = {
        ...{ url: `${url}/1`, html_url: url, assets_url: url, upload_url: url, tarball_url: url, zipball_url: url },
        ...{ id: 1, node_id: 'RE_1', tag_name: tag, target_commitish: 'main', name: tag, body: '', draft: false },
        ...{ prerelease: false, created_at: someTime, published_at: someTime, author: user(base, 'someone') },
        assets: names.map(asset),
      }
      switch (operation.id) {
        case 'repos/get-latest-release':
          return { status: 200, body: found }
        case 'repos/get-release-by-tag':
          return operation.path.tag === tag ? { status: 200, body: found } : undefined
        case 'repos/get-release-asset':
          return { status: 302, body: undefined, headers: { location: `${base}/released/${operation.path.asset_id}` } }
        default:
          return undefined
      }
    },
  }
}
