import { describe, expect, test } from '@jest/globals'
import { installed, selection } from './standard/cases.js'
import type { StandardCase } from './standard/cases.js'
import { compare } from './standard/compare.js'
import { EXCEPTIONS, entryFor, skipReason, TOLERANCES } from './standard/exceptions.js'

/**
 * The standard's own node tests: each is run by onnxruntime as it is and in its canonical form, on the same numbers.
 * Equal to the bit unless exceptions.ts says otherwise.
 *
 * The counts are those of onnxruntime 1.30: one that falls means that cases are skipped which used to run. Update them
 * with the runtime, after reading what the test prints.
 */
describe('the committed selection of node tests, opsets 7 to 24', () => {
  expectSame(selection, 1394)
})

// The whole of ONNX 1.12 where Debian's libonnx-testdata is installed, or ONNX_TESTDATA names such a folder.
const everywhere = installed.length > 0 ? describe : describe.skip
everywhere(`all ${installed.length} node tests of ONNX 1.12`, () => {
  expectSame(() => installed, 849)
})

function expectSame(cases: () => readonly StandardCase[], atLeast: number): void {
  test('give the same in their canonical form', async () => {
    const skipped = new Map<string, string[]>()
    const failed: string[] = []
    let ran = 0
    for (const one of cases()) {
      const outcome = await compare(one, entryFor(TOLERANCES, one.name))
      const exception = Object.hasOwn(EXCEPTIONS, one.name) ? EXCEPTIONS[one.name] : undefined
      if (outcome.kind === 'same') {
        ran++
        if (exception !== undefined) failed.push(`${one.name}: is listed as an exception, and gives the same`)
        continue
      }
      const reason = outcome.kind === 'skipped' ? skipReason(outcome.reason) : exception
      if (reason === undefined) failed.push(`${one.name}: for no known reason: ${JSON.stringify(outcome)}`)
      else skipped.set(reason, [...(skipped.get(reason) ?? []), one.name])
    }
    process.stdout.write(summary(ran, skipped))
    expect(failed).toEqual([])
    expect(ran).toBeGreaterThanOrEqual(atLeast)
  })
}

function summary(ran: number, skipped: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...skipped]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([reason, names]) => `  ${names.length} not: ${reason}\n`)
  return `${ran} node tests ran\n${lines.join('')}`
}
