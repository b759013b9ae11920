import { expect, test } from '@jest/globals'
import { ROUNDED } from './cases/index.js'
import { count, differentiate, floating, numbersOf } from './support.js'

const identity = (size: number, shape: readonly number[]) =>
  floating(
    'float32',
    [size, ...shape],
    Float64Array.from({ length: size * size }, (_, at) => (Math.floor(at / size) === at % size ? 1 : 0)),
  )

/**
 * Linear, with weights that float32 rounds. The whole matrix both ways: every input pixel through the operator, every
 * output pixel through the gradient. A float32 coordinate below 16 is off by up to 2⁻²¹, a cubic's slope is at most 2, an
 * image has two or three axes: 6e−6 at most.
 */
test.each(ROUNDED.map((tested) => [tested.name, tested] as const))('%s', async (_name, tested) => {
  const { forward, vjp } = await differentiate(tested)
  const inputs = count(tested.shape)
  const offset = numbersOf(await forward(floating('float32', [1, ...tested.shape], new Float64Array(inputs))))
  const columns = await forward(identity(inputs, tested.shape))
  const outputs = offset.length
  const rows = await vjp(
    floating('float32', [outputs, ...tested.shape], new Float64Array(outputs * inputs)),
    identity(outputs, columns.dims.slice(1)),
  )
  const [down, up] = [numbersOf(columns), numbersOf(rows)]
  expect(rows.dims).toEqual([outputs, ...tested.shape])
  const wrong = up.filter((weight, at) => {
    const [from, to] = [at % inputs, Math.floor(at / inputs)]
    return !(Math.abs(weight - (down[from * outputs + to] - offset[to])) < 6e-6)
  })
  expect(wrong).toEqual([])
})
