import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { namedSuite } from '../../src/config/suites.js'
import type { Dataset } from '../../src/data/types.js'
import type { Results } from '../../src/evaluation/results.js'
import { chosen, codes, dataFor, evaluated, fixture } from './flagged.js'
import { FAULTS, plant } from './planted.js'

/** Whoever follows the advice of the flag `randomness` pays twenty times as much, and gets an attack that the noise leads less astray. */
describe('a model with noise in front of it', () => {
  let noisy: Uint8Array
  beforeAll(async () => {
    noisy = plant(await readFile(fixture('fashion/fashion-hardened.onnx')), FAULTS['normal noise'])
  })
  const first = (samples: number): Promise<Dataset> => dataFor('fashion/fashion-test.npz', {}, samples)
  const robust = ({ samples }: Results): number =>
    samples.filter(({ threats }) => Object.values(threats).every((threat) => threat.robust)).length

  test('autoattack-rand asks twenty times at every point, and the flag has no more advice to give', async () => {
    const { attacks } = namedSuite('autoattack-rand')
    const single = attacks.map((attack) => ('eot' in attack ? { ...attack, eot: 1 } : attack))
    // Trousers, which noise does not make something else: in so small a ball they withstand, and no attack ends early.
    const trousers = chosen(await first(4), (label) => label === 1)
    const once = await evaluated(noisy, trousers, { epsilon: '0.001' }, single)
    const averaged = await evaluated(noisy, trousers, { epsilon: '0.001' }, attacks)
    expect([robust(once), robust(averaged)]).toEqual([2, 2])
    // Two images, two attacks that ask at the start and after each of 100 steps; what a diagnosis asks is the same in both.
    expect(averaged.cost.gradients - once.cost.gradients).toBe(2 * 2 * 101 * 19)
    expect([codes(once), codes(averaged)]).toEqual([['randomness'], ['randomness']])
    expect(once.flags[0].samples).toEqual([0, 1])
    expect(once.flags[0].message).toContain('attack with the suite autoattack-rand')
    expect(averaged.flags[0].message).toMatch(/differ from run to run\.$/)
  })

  test('what is averaged leaves no more images, and here fewer', async () => {
    const left = async (eot: number): Promise<number> =>
      robust(await evaluated(noisy, await first(40), { epsilon: '0.1' }, [published('apgd', { steps: 10, eot })]))
    // Of 40 images one draw leaves 23 to 26 and the mean of twenty 17 or 18, with three seeds each.
    expect(await left(20)).toBeLessThan(await left(1))
  })
})
