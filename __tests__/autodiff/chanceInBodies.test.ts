import { describe, expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import type { Node } from '../../src/onnx/graph.js'
import { body } from './cases/bodies.js'
import { CONSTANTS, KINDS, looped, normal, number125, opposite, PLACES, step } from './cases/draws.js'
import type { Draw } from './cases/draws.js'
import { drawn, noisyClassifier, PIXELS, WEIGHTS } from './noisyClassifier.js'
import { floating, numbersOf, reals } from './support.js'

const x = reals('float32', [1, PIXELS], 5, 0.25, 1)

/** Of products of up to nine factors that are off by a few millionths, in float32. */
const close = (value: number, expected: number, largest: number) =>
  expect(Math.abs(value - expected)).toBeLessThan(1e-4 * largest)

async function compare(noisy: readonly Node[], quiet: readonly Node[], image = x) {
  const [[found], [expected]] = [
    await drawn(noisyClassifier(17, noisy, CONSTANTS), image, 1),
    await drawn(noisyClassifier(17, quiet, CONSTANTS), image, 1),
  ]
  close(found.z, expected.z, Math.max(1, Math.abs(expected.z)))
  const largest = Math.max(...expected.slope.map(Math.abs))
  expect(largest).toBeGreaterThan(0.1)
  found.slope.forEach((value, at) => close(value, expected.slope[at], largest))
}

/** Without its gradient such a model is attacked by search alone, which finds less, and passes for more robust than it is. */
describe('the gradient is that of the model without its noise, which the test leaves out itself', () => {
  test.each(PLACES)('a draw %s', async (_, place) => {
    await compare(place(normal), place(number125))
  })

  test.each(KINDS)('in a Loop: %s', async (_, kind, quiet) => {
    await compare([looped(kind)], [looped(quiet)])
  })

  test('in a Loop: Bernoulli’s numbers, which are 0 where it is given 1, and 1 where 0', async () => {
    const pixels = Array.from({ length: PIXELS }, (_, at) => at % 2)
    const bernoulli: Draw = (like, to) => [makeNode('Bernoulli', [like], [to], { dtype: 1 })]
    const rest: Draw = (like, to) => [makeNode('Sub', ['unit', like], [to])]
    await compare([looped(bernoulli)], [looped(rest)], floating('float32', [1, PIXELS], pixels))
  })
})

/** EOT averages over draws: where there is one for all steps, or none at all, the mean is not that of the model. */
describe('noise in bodies is drawn anew, in every run and at every step', () => {
  const factor: Draw = (like, to) => [makeNode('RandomUniformLike', [like], [to])]

  test.each(PLACES)('a draw %s: forward and backward see one and the same', async (_, place) => {
    const found = await drawn(noisyClassifier(17, place(factor), CONSTANTS), x, 3)
    // 64 products in float32, of some units: 1e-4 is a hundred roundings.
    for (const { z, slope } of found)
      expect(slope.reduce((sum, value, at) => sum + value * numbersOf(x)[at], 0)).toBeCloseTo(z, 4)
    expect(new Set(found.map(({ z }) => z)).size).toBe(3)
  })

  test('three steps that add normal noise scatter by √3 of it, not by three times', async () => {
    const nodes = [
      makeNode('RandomNormalLike', ['carried'], ['noise'], { seed: { float: 7 } }),
      makeNode('Add', ['carried', 'noise'], ['next']),
    ]
    const loop = makeNode('Loop', ['three', 'yes', 'x'], ['noisy'], { body: step(nodes) })
    const runs = 400
    const found = (await drawn(noisyClassifier(17, [loop], CONSTANTS), x, runs)).map(({ z }) => z)
    const mean = found.reduce((sum, z) => sum + z, 0) / runs
    const deviation = Math.hypot(...found.map((z) => z - mean)) / Math.sqrt(runs)
    const scatter = Math.sqrt(3) * Math.hypot(...WEIGHTS)
    // Six deviations of the mean, and of the deviation, of normal numbers.
    expect(Math.abs(mean - numbersOf(x).reduce((sum, v, at) => sum + v * WEIGHTS[2 * at + 1], 0))).toBeLessThan(
      (6 * scatter) / Math.sqrt(runs),
    )
    expect(Math.abs(deviation - scatter)).toBeLessThan((6 * scatter) / Math.sqrt(2 * runs))
  })
})

test('what is drawn in a Loop beside an export of one image is not folded to one draw', async () => {
  const loop = makeNode('Loop', ['three', 'yes', 'ones'], ['factors'], {
    body: step([
      makeNode('RandomUniform', [], ['u'], { shape: [PIXELS] }),
      makeNode('Mul', ['carried', 'u'], ['next']),
    ]),
  })
  const bytes = noisyClassifier(17, [loop, makeNode('Mul', ['x', 'factors'], ['noisy'])], CONSTANTS, 1)
  const found = await drawn(bytes, x, 3)
  expect(new Set(found.map(({ z }) => z)).size).toBe(3)
})

/** As a network of random depth that was exported while it trained. Who is told of the image looks for what is not there. */
test.each([
  [
    'takes',
    makeNode('If', ['told'], ['noisy'], {
      then_branch: opposite,
      else_branch: body([], ['same'], [makeNode('Identity', ['x'], ['same'])]),
    }),
    /"thrown" \(If\) chooses by a condition that depends on the image or on chance.*export the model with/,
  ],
  [
    'goes',
    makeNode('Loop', ['', 'told', 'x'], ['noisy'], { body: step([makeNode('Neg', ['carried'], ['next'])]) }),
    /"thrown" \(Loop\) runs as often as the image or the size of the batch says, or chance,.*export the model with/,
  ],
])('refused, saying why: chance says which way it %s', async (_, node, message) => {
  const thrown = [
    makeNode('RandomUniform', [], ['chance'], { shape: [] }),
    makeNode('Less', ['chance', 'half'], ['told']),
    { ...node, name: 'thrown' },
  ]
  await expect(drawn(noisyClassifier(17, thrown, CONSTANTS), x, 1)).rejects.toThrow(message)
})
