import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, jest, test } from '@jest/globals'
import { killChildrenOnExit } from '../../src/sandbox/living.js'

const CHILDREN = 2

/** How a parent ends → what its exit tells: [code, signal]. */
const endings: readonly (readonly [string, readonly [number | null, string | null]])[] = [
  ['SIGINT', [null, 'SIGINT']],
  ['SIGTERM', [null, 'SIGTERM']],
  ['exit', [7, null]],
  ['throw', [1, null]],
]

test.each(endings)(
  'a parent that ends by %s leaves no child and no directory on the runner',
  async (ending, status) => {
    const sockets: Socket[] = []
    const pids: number[] = []
    const directories: string[] = []
    const server = createServer()
    const allHang = new Promise<void>((resolve) => {
      server.on('connection', (socket) => {
        sockets.push(socket)
        socket.on('error', () => undefined)
        socket.once('data', (line) => {
          const [pid, directory] = line.toString().split(' ')
          pids.push(Number(pid))
          directories.push(directory)
          if (pids.length === CHILDREN) resolve()
        })
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const parent = spawn(
      process.execPath,
      [fileURLToPath(new URL('fixtures/parent.mjs', import.meta.url)), String(port), String(CHILDREN)],
      { stdio: ['pipe', 'ignore', 'ignore'] },
    )
    try {
      await allHang
      const parentEnds = once(parent, 'exit')
      const childrenEnd = Promise.all(sockets.map((socket) => socket.closed || once(socket, 'close')))
      if (ending.startsWith('SIG')) parent.kill(ending as NodeJS.Signals)
      else parent.stdin.write(ending)
      expect(await parentEnds).toEqual(status)
      await childrenEnd
      expect(directories.filter((directory) => existsSync(directory))).toEqual([])
    } finally {
      parent.kill('SIGKILL')
      for (const [place, pid] of pids.entries()) if (!sockets[place].closed) process.kill(pid, 'SIGKILL')
      for (const socket of sockets) socket.destroy()
      server.close()
    }
  },
)

test('on Windows, where a raised signal ends a program with status 1, an interruption does not read as a regression', () => {
  const process = Object.assign(new EventEmitter(), { pid: 1, platform: 'win32', exit: jest.fn(), kill: jest.fn() })
  const child = { kill: jest.fn() }
  killChildrenOnExit(process).add(child)
  process.emit('SIGINT')
  expect(child.kill).toHaveBeenCalled()
  expect(process.kill).not.toHaveBeenCalled()
  expect(process.exit).toHaveBeenCalledWith(3)
})
