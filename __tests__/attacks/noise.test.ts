import { expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { imageDigest, randomSource } from '../../src/attacks/random.js'
import { attackFor } from '../../src/attacks/registry.js'
import { threatModel } from '../../src/attacks/threat.js'
import { converse, type FakeModel } from './support/linear.js'

const image = Float32Array.of(0.25, 0.5, 0.75)
const threat = threatModel(image, { norm: 'l2', epsilon: 0.125 }, [0, 1])
const target = { threat, label: 0, classes: 2, shape: [3], layout: 'flat' } as const

/** Is fooled by the points whose numbers are given; the first pixel is how near the others are. */
function attack(points: number, fooledAt: readonly number[] = []) {
  let asked = 0
  const model: FakeModel = {
    predict: ([first]) => (fooledAt.includes(asked++) ? Float32Array.of(0, 1) : Float32Array.of(1, first)),
    gradient: () => ({ logits: Float32Array.of(1, 0), value: 0, gradient: new Float32Array(3) }),
  }
  return converse(
    attackFor(published('noise', { points }), target, randomSource(0, imageDigest(image), 'noise')),
    model,
  )
}

test('without a witness it has asked about as many points as it may, and ends with the one nearest to fooling', () => {
  const { result, asked } = attack(50)
  expect(asked).toHaveLength(50)
  expect(new Set(asked.map(({ kind }) => kind))).toEqual(new Set(['prediction']))
  const best = Math.max(...asked.map(({ point }) => point[0]))
  expect(result).toMatchObject({ success: false, predicted: 0 })
  expect(result.point[0]).toBe(best)
})

test('the first of the points that fool the model is the witness, and none is asked about after those asked at once', () => {
  const { result, asked } = attack(50, [19, 21])
  expect(result).toEqual({ success: true, predicted: 1, point: asked[19].point })
  expect(asked).toHaveLength(32)
})

test('the points are random in the ball: no two are the same, and the first are the same however many follow', () => {
  const points = attack(40).asked.map(({ point }) => point.join())
  expect(new Set(points).size).toBe(40)
  expect(attack(7).asked.map(({ point }) => point.join())).toEqual(points.slice(0, 7))
})
