import { expect, test } from '@jest/globals'
import { imageDigest, randomSource, randomStream } from '../../src/attacks/random.js'

const image = imageDigest(Float32Array.of(0.1, 0.2))
const draw = (random: { uniform(): number }): number[] => Array.from({ length: 4 }, () => random.uniform())

test('an image gets the same numbers again, however many were drawn elsewhere before', () => {
  const first = draw(randomSource(7, image, 'pgd')(1, 2))
  const source = randomSource(7, image, 'pgd')
  draw(source(0, 0))
  expect(draw(source(1, 2))).toEqual(first)
  expect(draw(source(1, 2))).toEqual(first)
})

test('the same pixels at another place in memory are the same image', () => {
  const somewhere = Float32Array.of(9, 0.1, 0.2, 9).subarray(1, 3)
  expect(imageDigest(somewhere)).toEqual(image)
})

test.each([
  ['seed', randomSource(8, image, 'pgd')(1, 2)],
  ['image', randomSource(7, imageDigest(Float32Array.of(0.1, 0.3)), 'pgd')(1, 2)],
  ['attack', randomSource(7, image, 'pgd-margin')(1, 2)],
  ['restart', randomSource(7, image, 'pgd')(2, 2)],
  ['step', randomSource(7, image, 'pgd')(1, 3)],
])('another %s gives other numbers', (_, random) => {
  const first = new Set(draw(randomSource(7, image, 'pgd')(1, 2)))
  expect(draw(random).filter((value) => first.has(value))).toEqual([])
})

test('normal numbers have the moments of the normal distribution', () => {
  const random = randomStream([1, 2, 3, 4])
  const count = 20_000
  const values = Array.from({ length: count }, () => random.gaussian())
  const moment = (power: number): number => values.reduce((sum, v) => sum + v ** power, 0) / count
  // Standard errors of the sample moments of N(0, 1): √(1, 2, 15, 96)/√count; five of them, with a fixed seed.
  expect(Math.abs(moment(1))).toBeLessThan(5 * Math.sqrt(1 / count))
  expect(Math.abs(moment(2) - 1)).toBeLessThan(5 * Math.sqrt(2 / count))
  expect(Math.abs(moment(3))).toBeLessThan(5 * Math.sqrt(15 / count))
  expect(Math.abs(moment(4) - 3)).toBeLessThan(5 * Math.sqrt(96 / count))
})
