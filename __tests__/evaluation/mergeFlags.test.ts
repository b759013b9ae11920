import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { mergeFlags } from '../../src/evaluation/mergeFlags.js'

const flags = fc.array(
  fc.record(
    { code: fc.constantFrom('a', 'b'), message: fc.constantFrom('x', 'y'), samples: fc.array(fc.nat({ max: 5 })) },
    { requiredKeys: ['code', 'message'] },
  ),
)

test('who raised a flag first, and how many did, cannot be seen', () => {
  fc.assert(
    fc.property(flags, (raised) => {
      const merged = mergeFlags(raised)
      expect(mergeFlags([...raised, ...raised].reverse())).toEqual(merged)
      for (const { code, message, samples } of merged) {
        const same = raised.filter((flag) => flag.code === code && flag.message === message)
        const all = new Set(same.flatMap((flag) => flag.samples ?? []))
        expect(samples ?? []).toEqual([...all].sort((a, b) => a - b))
      }
      expect(new Set(merged.map(({ code, message }) => code + message)).size).toBe(merged.length)
    }),
  )
})
