import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

/** A request as it came: who asked for what, with which secret. */
export interface AskedFor {
  readonly path: string
  readonly authorization?: string
}

export interface FileServer {
  /** `https://localhost:PORT` */
  readonly url: string
  readonly requests: readonly AskedFor[]
  /** For a process that is to believe its certificate. */
  readonly environment: Readonly<Record<string, string>>
  readonly close: () => Promise<void>
}

const folder = join('__tests__', 'support', 'tls')
const certificate = join(process.cwd(), folder, 'tests-only-certificate.pem')

/**
 * Serves files over https on this machine. Key and certificate are made for tests alone, for `localhost` and a hundred years.
 *
 * @param answer - A file, the address to go on to, or the status of a refusal.
 */
export async function serveFiles(answer: (asked: AskedFor) => Uint8Array | string | number): Promise<FileServer> {
  const requests: AskedFor[] = []
  const tls = { key: readFileSync(join(folder, 'tests-only-key.pem')), cert: readFileSync(certificate) }
  const server = createServer(tls, ({ url: path = '', headers: { authorization } }, response) => {
    const asked = { path, ...(authorization !== undefined && { authorization }) }
    requests.push(asked)
    const given = answer(asked)
    if (typeof given === 'number') response.writeHead(given).end()
    else if (typeof given === 'string') response.writeHead(302, { location: given }).end()
    else response.end(given)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    requests,
    environment: { NODE_EXTRA_CA_CERTS: certificate },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
