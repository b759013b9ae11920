import { EventEmitter } from 'node:events'
import { expect, jest, test } from '@jest/globals'
import { guardStatus } from '../src/host.js'

function guarded() {
  const streams = { stdout: new EventEmitter(), stderr: new EventEmitter() }
  const process = Object.assign(new EventEmitter(), streams, { exit: jest.fn() })
  const told = jest.fn()
  guardStatus(process, told)
  return { process, told }
}

test('what nobody caught is told and ends with status 3: Node’s own, 1, reads as a regression', () => {
  const { process, told } = guarded()
  const error = new Error('unforeseen')
  process.emit('uncaughtException', error)
  expect(told).toHaveBeenCalledWith(error)
  expect(process.exit).toHaveBeenCalledWith(3)
})

test('a reader that has seen enough leaves the status to the verdict; a full disk does not', () => {
  const { process } = guarded()
  for (const stream of [process.stdout, process.stderr]) {
    expect(() => stream.emit('error', Object.assign(new Error('hung up'), { code: 'EPIPE' }))).not.toThrow()
    expect(() => stream.emit('error', Object.assign(new Error('full'), { code: 'ENOSPC' }))).toThrow('full')
  }
})
