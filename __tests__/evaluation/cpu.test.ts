import { expect, test } from '@jest/globals'
import { describeCpu } from '../../src/evaluation/cpu.js'

test('processors that add up in another order have other names', () => {
  const flags = (names: string) => `processor\t: 0\nflags\t\t: fpu ${names}\n\nprocessor\t: 1\n`
  expect(describeCpu('Intel(R)  Xeon(R) CPU', flags('avx avx2 avx512f'))).toBe('Intel(R) Xeon(R) CPU, avx2 avx512f')
  expect(describeCpu('Intel(R) Xeon(R) CPU', flags('avx avx2'))).toBe('Intel(R) Xeon(R) CPU, avx2')
  expect(describeCpu('Apple M1', undefined)).toBe('Apple M1')
  expect(describeCpu(undefined, undefined)).toBe('unknown')
})
