import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { namedSuite } from '../../src/config/suites.js'
import { EvaluationError, UsageError } from '../../src/errors.js'
import { loadWitnesses } from '../../src/evaluation/ask.js'
import type { Witness } from '../../src/evaluation/collector.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import { recheck } from '../../src/evaluation/recheck.js'
import { predictionsAt } from '../../src/evaluation/replay.js'
import type { Results } from '../../src/evaluation/results.js'
import { transferable, tryWitnesses } from '../../src/evaluation/transfer.js'
import { witnessArchive } from '../../src/evaluation/witnesses.js'
import { dataset as fixtureData, fixture, imagesOf, model } from '../engine/support/fixtures.js'
import { effectsOf, ramp, realChildren, requestOf } from './support.js'

const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))
const effects = () => effectsOf(realChildren(worker).startChild)

const dataset = fixtureData('fashion/fashion-test.npz', 48)
const threat = { id: 'linf-0.1', norm: 'linf', epsilon: 0.1 } as const
const asked = (name: string) =>
  requestOf(
    48,
    {},
    {
      model: model(`fashion/fashion-${name}.onnx`),
      dataset,
      threats: [threat],
      suite: namedSuite('quick'),
      witnesses: true,
    },
  )

let hardened: Results
let witnesses: Witness[]

beforeAll(async () => {
  witnesses = []
  const onWitness = (witness: Witness) => witnesses.push(witness)
  hardened = await evaluate(asked('hardened'), { ...effects(), onWitness })
})

describe('points put to the original', () => {
  test('are predicted as the evaluation said of the same images, in order, more of them than batches in flight', async () => {
    const images = imagesOf(dataset)
    const points = [...images, ...images, ...images, ...images]
    const predicted = hardened.samples.map((sample) => sample.predicted)
    expect(await predictionsAt(points, asked('hardened'), effects())).toEqual([
      ...predicted,
      ...predicted,
      ...predicted,
      ...predicted,
    ])
  })

  test('a child that dies of them is an error', async () => {
    const request = requestOf(4, { dieOnReplay: true })
    const points = [{ label: 0, pixels: ramp(4).pixels.subarray(0, 2) }]
    const dying = predictionsAt(points, request, effectsOf(realChildren().startChild))
    await expect(dying).rejects.toThrow(EvaluationError)
    await expect(dying).rejects.toThrow(/replaying adversarial examples on model\.onnx/)
  })

  test('a child that answers twice, and one that answers for another point, are not believed', async () => {
    for (const behaviour of [{ replayLie: 0 }, { replayLie: 7 }]) {
      const points = [0, 1].map((label) => ({ label, pixels: ramp(4).pixels.subarray(0, 2) }))
      const lying = predictionsAt(points, requestOf(4, behaviour), effectsOf(realChildren().startChild))
      await expect(lying).rejects.toThrow(/not possible.*not asked for, or is answered already/)
    }
  })
})

describe('adversarial examples of one model on another', () => {
  test('only those of images that the other holds are tried, and it breaks what the model, run here, says it does', async () => {
    const weak: Witness[] = []
    await evaluate(asked('finetuned'), { ...effects(), onWitness: (witness) => weak.push(witness) })
    const held = weak.filter(({ index }) => hardened.samples[index].threats['linf-0.1'].robust)
    expect(held.length).toBeGreaterThan(20)
    const session = await InferenceSession.create(fixture('fashion/fashion-hardened.onnx'))
    const broken: number[] = []
    for (const { index, label, pixels } of held) {
      const { logits } = await session.run({ image: new Tensor('float32', pixels, [1, 1, 28, 28]) })
      const scores = Array.from(logits.data as Float32Array)
      if (scores.indexOf(Math.max(...scores)) !== label) broken.push(index)
    }
    expect(await tryWitnesses(weak, hardened, asked('hardened'), effects())).toEqual([
      { threat: 'linf-0.1', tried: held.length, fooled: broken.sort((one, other) => one - other) },
    ])
  })

  test('a model that counts as robust where it is not is found out', async () => {
    // As if gradients had been masked: the same model, but no attack broke anything.
    const samples = hardened.samples.map((sample) => ({
      ...sample,
      threats: { 'linf-0.1': { robust: sample.label === sample.predicted, attacks: {} } },
    }))
    const [{ tried, fooled }] = await tryWitnesses(witnesses, { ...hardened, samples }, asked('hardened'), effects())
    expect(fooled).toEqual(witnesses.map(({ index }) => index).sort((one, other) => one - other))
    expect(tried).toBe(fooled.length)
    expect(tried).toBeGreaterThan(3)
  })

  test('of data larger than what is kept a sample is tried, the same images in whatever order they come', () => {
    // 320 bytes / (4 bytes × 2 pixels × 2 threats) = 20 of 100 images.
    const threats = [threat, { ...threat, id: 'other' }]
    const data = ramp(100)
    const backwards = { ...data, pixels: data.pixels.slice() }
    for (let index = 0; index < 100; index++)
      backwards.pixels.set(data.pixels.subarray(2 * (99 - index), 2 * (100 - index)), 2 * index)
    const all = Array.from({ length: 100 }, (_, index) => index)
    const keptOf = (given: typeof data, most?: number) => {
      const keep = transferable({ dataset: given, threats }, most)
      return all.filter((index) => keep({ index }))
    }
    const kept = keptOf(data, 320)
    expect(kept).toHaveLength(20)
    // The first twenty may be all of one class, or easy.
    expect(Math.max(...kept)).toBeGreaterThan(50)
    expect(keptOf(backwards, 320).map((index) => 99 - index)).toEqual(kept.toReversed())
    expect(keptOf(data)).toEqual(all)
  })
})

describe('saved adversarial examples', () => {
  const read = async (bytes: Uint8Array) =>
    loadWitnesses(bytes, 'adversarial.npz', { ...effects(), timeLimitSeconds: 60 })

  test('fool the model they were made for, inside the ball, and are of images it is right on', async () => {
    const saved = await read(witnessArchive(witnesses, 'linf-0.1', dataset))
    const all = await recheck(saved, threat, asked('hardened'), effects())
    expect(all).toEqual(
      witnesses
        .map(({ index }) => ({ index, right: true, fools: true, inside: true }))
        .sort((one, other) => one.index - other.index),
    )
  })

  test('a smaller ball does not hold them, nor one pixel outside the range, and the clean image fools nobody', async () => {
    const [first, second, third] = witnesses
    const outside = first.pixels.slice()
    outside[0] = -0.01
    const clean = imagesOf(dataset)[second.index].pixels
    const changed = [{ ...first, pixels: outside }, { ...second, pixels: clean }, third]
    const saved = await read(witnessArchive(changed, 'linf-0.1', dataset))
    const of = async (epsilon: number) =>
      new Map(
        (await recheck(saved, { ...threat, epsilon }, asked('hardened'), effects())).map((one) => [one.index, one]),
      )
    const wide = await of(0.1)
    expect(wide.get(first.index)).toMatchObject({ inside: false })
    expect(wide.get(second.index)).toMatchObject({ inside: true, fools: false })
    expect(wide.get(third.index)).toMatchObject({ inside: true, fools: true })
    expect((await of(0.01)).get(third.index)).toMatchObject({ inside: false, fools: true })
  })

  test('an archive without any is read', async () => {
    const saved = await read(witnessArchive([], 'linf-0.1', dataset))
    expect(await recheck(saved, threat, asked('hardened'), effects())).toEqual([])
  })

  test('those of other data, and other archives, are refused', async () => {
    const saved = await read(witnessArchive(witnesses, 'linf-0.1', dataset))
    const other = {
      ...asked('hardened'),
      dataset: { ...dataset, labels: dataset.labels.map((label) => (label + 1) % 10) },
    }
    await expect(recheck(saved, threat, other, effects())).rejects.toThrow(
      /of image \d+ with label \d, which in .* has label/,
    )
    const fewer = { ...asked('hardened'), dataset: { ...dataset, samples: 1, labels: dataset.labels.slice(0, 1) } }
    await expect(recheck(saved, threat, fewer, effects())).rejects.toThrow(/does not exist; give the data/)
    await expect(recheck({ ...saved, shape: [784] }, threat, asked('hardened'), effects())).rejects.toThrow(UsageError)
    await expect(read(new TextEncoder().encode('no archive'))).rejects.toThrow(UsageError)
  })
})
