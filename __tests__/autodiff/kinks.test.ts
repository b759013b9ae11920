import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { operatorRows } from '../../src/autodiff/operatorTable.js'
import { operatorOf } from '../../src/onnx/attributes.js'
import { KINKS, POOL_KINKS, TIES } from './cases/kinks.js'
import { differentiate, floating, numbersOf, single } from './support.js'

/** An attack that starts on a plateau or a tie goes where the first slope sends it; NaN there would end it. */
describe('kinks and ties', () => {
  test.each(KINKS.map((kink) => [`${kink.op} at ${kink.x.join(', ')}${kink.channels ? ', maps' : ''}`, kink] as const))(
    '%s',
    async (_name, kink) => {
      const { op, others = {}, attributes, reduces, channels = 1 } = kink
      const [x, slopes] = [kink.x, kink.slopes].map((values) => Array.from({ length: channels }, () => values).flat())
      const shape = kink.channels ? [channels, 1, kink.x.length] : [x.length]
      const operands = Object.entries(others).map(([name, values]) => [
        name,
        floating('float32', values.length === 1 ? [] : [values.length], values),
      ])
      const constants = reduces ? { axes: [1] } : Object.fromEntries(operands)
      const { vjp, forward } = await differentiate(single(op, shape, { constants, attributes }))
      const point = floating('float32', [1, ...shape], x)
      const { dims } = await forward(point)
      const ones = floating('float32', dims, new Float32Array(reduces ? 1 : x.length).fill(1))
      expect(numbersOf(await vjp(point, ones)).map((slope) => slope + 0)).toEqual(slopes) // −0 is 0
    },
  )
})

/** An attack that starts on a black image or a tie goes where the first slope sends it; NaN there would end it. */
test.each(POOL_KINKS)('%s %j at %j', async (op, attributes, x, slopes) => {
  // onnxruntime has no GlobalLpPool since opset 22.
  const { vjp, forward } = await differentiate({ ...single(op, [1, 2, 3], { attributes }), opset: 21 })
  const point = floating('float32', [1, 1, 2, 3], x)
  const { dims, data } = await forward(point)
  const gradient = numbersOf(await vjp(point, floating('float32', dims, new Float32Array(data.length).fill(1))))
  expect(gradient.map((slope) => slope + 0)).toEqual(slopes) // −0 is 0
})

/** The same where it takes several rows; in float32, a rounding or two of the slope. */
test.each(TIES.map((tie) => [`${tie.tested.name} at ${tie.x.join(', ')}`, tie] as const))(
  '%s',
  async (_name, { tested, x, slopes, weights }) => {
    const { vjp, forward } = await differentiate(tested)
    const point = floating('float32', [1, ...tested.shape], x)
    const { dims, data } = await forward(point)
    const seed = floating('float32', dims, weights ?? new Float32Array(data.length).fill(1))
    const gradient = numbersOf(await vjp(point, seed))
    expect(gradient).toHaveLength(slopes.length)
    slopes.forEach((slope, at) =>
      expect(Math.abs(gradient[at] - slope)).toBeLessThan(2e-7 * Math.max(1, Math.abs(slope))),
    )
  },
)

/** A slope that docs/operators.md promises and nobody holds is one that the next change moves. */
test('every operator with kinks or ties is tried at one', () => {
  const versions: unknown = JSON.parse(readFileSync('scripts/reference/operatorVersions.json', 'utf8'))
  const bent = operatorRows(versions as Readonly<Record<string, readonly number[]>>)
    .filter(({ gradient }) => gradient === 'subgradient')
    .map(({ operator }) => operator)
  const tried = new Set([
    ...KINKS.map(({ op }) => op),
    ...POOL_KINKS.map(([op]) => op),
    ...TIES.flatMap(({ tested }) => tested.nodes.map(operatorOf)),
  ])
  expect(bent.filter((operator) => !tried.has(operator))).toEqual([])
})
