import { execFileSync, spawn } from 'node:child_process'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gitEnvironment } from './repository.js'

/**
 * Serves repositories over HTTP by git's own `http-backend`, to those whose Authorization header is exactly this one: as GitHub
 * does for a private repository, it refuses a request that carries two.
 */
export async function serveGit(folder: string, authorization: string) {
  const backend = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')
  const server = createServer((request, response) => {
    const given = request.headersDistinct.authorization ?? []
    if (given.length !== 1 || given[0] !== authorization) {
      response.writeHead(given.length > 1 ? 400 : 401, { 'www-authenticate': 'Basic realm="GitHub"' }).end()
      return
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost')
    const cgi = spawn(backend, {
      env: {
        ...gitEnvironment,
        ...{ GIT_PROJECT_ROOT: folder, GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: pathname, QUERY_STRING: search.slice(1) },
        ...{ REQUEST_METHOD: request.method, CONTENT_TYPE: request.headers['content-type'] ?? '' },
        ...{ HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '' },
        ...{ HTTP_GIT_PROTOCOL: request.headers['git-protocol']?.toString() ?? '', REMOTE_ADDR: '127.0.0.1' },
      },
    })
    request.pipe(cgi.stdin)
    const chunks: Buffer[] = []
    cgi.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
    cgi.on('close', () => {
      const reply = Buffer.concat(chunks)
      const end = reply.indexOf('\r\n\r\n')
      const headers = reply
        .subarray(0, end)
        .toString()
        .split('\r\n')
        .map((line) => line.split(': ', 2) as [string, string])
      const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? 200)
      response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
      response.end(reply.subarray(end + 4))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
