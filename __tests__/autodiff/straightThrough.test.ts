import { describe, expect, test } from '@jest/globals'
import { STAND_INS } from './cases/index.js'
import { differentiate, reals } from './support.js'

/** An attack would not move at all where a step is flat; with another stand-in than the documented one it would move elsewhere. */
describe('the gradient is that of the documented stand-in', () => {
  test.each(STAND_INS.map(({ tested, standIn }) => [tested.name, tested, standIn] as const))(
    '%s',
    async (_name, tested, standIn) => {
      const step = await differentiate(tested)
      const smooth = await differentiate(standIn)
      for (const rows of [1, 3]) {
        const x = reals(tested.type, [rows, ...tested.shape], 31)
        const y = await step.forward(x)
        expect(y).not.toEqual(await smooth.forward(x))
        const u = reals(tested.type, y.dims, 37)
        expect(await step.vjp(x, u)).toEqual(await smooth.vjp(x, u))
      }
    },
  )
})
