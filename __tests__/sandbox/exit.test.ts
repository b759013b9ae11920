import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { describeExit } from '../../src/sandbox/exit.js'
import { oneLine } from '../../src/text.js'

describe('what people read when a child is no more', () => {
  const doing = 'evaluating model.onnx'

  test('a crash names its signal and the last error it printed', () => {
    const output = 'loading\nRangeError: Invalid array length\n    at run (worker.js:3:1)\n'
    expect(describeExit({ reason: 'crashed', signal: 'SIGSEGV', code: null, output }, doing)).toBe(
      'Native code crashed the child process (SIGSEGV) while evaluating model.onnx; it last said: RangeError: Invalid array length.',
    )
  })

  test.each([
    [0xc0000005, '0xC0000005'], // STATUS_ACCESS_VIOLATION: NTSTATUS, [MS-ERREF] 2.3.1
    [0xc0000409, '0xC0000409'], // STATUS_STACK_BUFFER_OVERRUN, what abort() ends with
  ])('on Windows, which has no signals, a crash is told by its status', (code, shown) => {
    expect(describeExit({ reason: 'crashed', signal: null, code, output: '' }, doing)).toBe(
      `Native code crashed the child process (${shown}) while evaluating model.onnx.`,
    )
  })

  test('the system’s killer is told from a crash', () => {
    expect(describeExit({ reason: 'crashed', signal: 'SIGKILL', code: null, output: '' }, doing)).toMatch(/memory/)
  })

  test('the time limit is given with what to do', () => {
    const message = describeExit({ reason: 'timed-out', seconds: 60, output: '' }, doing)
    expect(message).toMatch(/^No answer within 60 s while evaluating model\.onnx: raise the time limit/)
  })

  test('whatever the child printed, the message stays one short line without terminal control', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (output) => {
        const message = describeExit({ reason: 'crashed', signal: null, code: 1, output }, doing)
        expect(message).not.toMatch(/\p{C}/u)
        expect(message.length).toBeLessThan(500)
      }),
    )
  })
})

test('an escape sequence in foreign text cannot paint the terminal', () => {
  expect(oneLine('a\u001b[31mb\r\nc')).toBe('a [31mb c')
})
