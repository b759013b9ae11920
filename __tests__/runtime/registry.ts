import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PinnedPackage } from '../../src/runtime/fetchAddon.js'

/** A registry of npm's that has one package. */
export interface Registry {
  /** With the sha512 of what it serves. */
  readonly pinned: PinnedPackage
  /** For an npm client whose user has set it. */
  readonly environment: Readonly<Record<string, string>>
  /** Paths that were asked for. */
  readonly requests: readonly string[]
  readonly close: () => Promise<void>
}

/** @param files - Of the package, by path. */
export async function startRegistry(
  name: string,
  version: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<Registry> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'))
  for (const [path, content] of Object.entries({ ...files, 'package.json': JSON.stringify({ name, version }) })) {
    await mkdir(join(folder, 'package', path, '..'), { recursive: true })
    await writeFile(join(folder, 'package', path), content)
  }
  execFileSync('tar', ['czf', 'package.tgz', 'package'], { cwd: folder })
  const archive = await readFile(join(folder, 'package.tgz'))
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  const requests: string[] = []
  const server = createServer(({ url = '' }, response) => {
    requests.push(url)
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const dist = { tarball: `${address}/archive.tgz`, integrity }
    const versions = { [version]: { name, version, dist } }
    if (url === '/archive.tgz') response.end(archive)
    else if (url === `/${name}`) response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }))
    else response.writeHead(404).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const settings = join(folder, 'npmrc')
  await writeFile(
    settings,
    `registry=http://127.0.0.1:${(server.address() as AddressInfo).port}/\ncache=${join(folder, 'cache')}\nfetch-retries=0\nupdate-notifier=false\n`,
  )
  return {
    pinned: { name, version, integrity },
    environment: { npm_config_userconfig: settings },
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
