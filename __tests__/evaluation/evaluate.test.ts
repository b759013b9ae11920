import { describe, expect, test } from '@jest/globals'
import { EvaluationError, UsageError } from '../../src/errors.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import type { Progress } from '../../src/evaluation/progress.js'
import { formatResults, parseResults } from '../../src/evaluation/resultsFile.js'
import type { Witness } from '../../src/evaluation/collector.js'
import { effectsOf, ramp, realChildren, requestOf } from './support.js'

async function causeOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not fail')
}

describe('results', () => {
  test('are the same to the byte with one worker and with two', async () => {
    const texts: string[] = []
    for (const workers of [1, 2]) {
      const { startChild, children } = realChildren()
      const request = requestOf(200, {}, { limits: { seconds: 60, batch: 16, workers } })
      texts.push(formatResults(await evaluate(request, effectsOf(startChild))))
      expect(children).toHaveLength(workers)
    }
    expect(texts[1]).toBe(texts[0])
  })

  test('count what the images say', async () => {
    const { summary, samples, cost } = await evaluate(requestOf(100), effectsOf(realChildren().startChild))
    // First pixels are 0.005, 0.015, … 0.995: right from 0.2 on (80). Under 0.1, FGSM breaks those below 0.3, PGD those
    // below 0.4; under 0.5, FGSM those below 0.7, PGD those below 0.8. pgd-margin is for survivors and breaks as PGD does.
    expect(samples.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, index) => index))
    expect(summary.clean).toEqual({ correct: 80, samples: 100, accuracy: 0.8 })
    expect(summary.threats).toEqual({
      'linf-0.1': {
        robustAccuracy: 0.6,
        attacks: { fgsm: { accuracy: 0.7 }, pgd: { accuracy: 0.6 }, 'pgd-margin': { accuracy: 0.6 } },
      },
      'l2-0.5': {
        robustAccuracy: 0.2,
        attacks: { fgsm: { accuracy: 0.3 }, pgd: { accuracy: 0.2 }, 'pgd-margin': { accuracy: 0.2 } },
      },
    })
    // Labels go round: 0 has 34 images (0, 3, … 99), of which 27 from 21 on are right.
    expect(summary.classes[0]).toMatchObject({ label: 0, name: 'a', samples: 34, correct: 27 })
    expect(cost).toEqual({ seconds: 0, forwards: 300, gradients: 200 })
  })

  test('can be read again from their own file', async () => {
    const results = await evaluate(requestOf(20), effectsOf(realChildren().startChild))
    expect(parseResults(formatResults(results), 'results.json')).toEqual(results)
  })

  test('hold each flag once, however many workers raise it', async () => {
    const flags = [{ code: 'surrogate', message: 'Round has a straight-through gradient' }]
    const { startChild, children } = realChildren()
    const results = await evaluate(requestOf(64, { flags }), effectsOf(startChild))
    expect(children).toHaveLength(2)
    expect(results.flags).toEqual(flags)
  })

  test('take nothing from attacks that cannot have been run: the child has said that there is no gradient', async () => {
    const request = requestOf(20, { gradient: false })
    await expect(evaluate(request, effectsOf(realChildren().startChild))).rejects.toThrow(/nobody asked for attack/)
  })

  test('name the images of which something odd was found', async () => {
    const request = requestOf(64, { signsFrom: 60 })
    const { flags, samples } = await evaluate(request, effectsOf(realChildren().startChild))
    expect(samples[60].signs).toEqual(['no-prediction'])
    expect(flags).toMatchObject([{ code: 'no-prediction', samples: [60, 61, 62, 63] }])
  })
})

test('no process is started for images that one batch holds', async () => {
  const { startChild, children } = realChildren()
  await evaluate(requestOf(16), effectsOf(startChild, { cores: 8 }))
  expect(children).toHaveLength(1)
})

test('every core is used, though one batch would hold all images: a model may have a batch of 1', async () => {
  const { startChild, children } = realChildren()
  await evaluate(requestOf(60, {}, { limits: { seconds: 60, batch: 64 } }), effectsOf(startChild, { cores: 4 }))
  expect(children).toHaveLength(4)
})

test('large images arrive, though a message holds only one of them', async () => {
  const [samples, size] = [6, 2 ** 19]
  const pixels = Float32Array.from({ length: samples * size }, (_, place) => Math.floor(place / size) / samples)
  const dataset = { ...ramp(samples), shape: [size], pixels }
  const results = await evaluate(requestOf(samples, {}, { dataset }), effectsOf(realChildren().startChild))
  // First pixels 0, 1/6, 2/6, …: right from 0.2 on.
  expect(results.samples.map(({ label, predicted }) => label === predicted)).toEqual([
    false,
    false,
    true,
    true,
    true,
    true,
  ])
})

test('progress ends with what the results say', async () => {
  const seen: Progress[] = []
  let clock = 0
  const effects = effectsOf(realChildren().startChild, {
    now: () => (clock += 500),
    onProgress: (progress) => seen.push(progress),
  })
  const { summary, cost } = await evaluate(requestOf(40), effects)
  expect(seen.map(({ done }) => done)).toEqual(Array.from({ length: 40 }, (_, place) => place + 1))
  expect(seen.at(-1)).toMatchObject({ total: 40, correct: summary.clean.correct, gradients: cost.gradients })
  expect(seen.at(-1)?.robust).toEqual({
    'linf-0.1': 40 * summary.threats['linf-0.1'].robustAccuracy,
    'l2-0.5': 40 * summary.threats['l2-0.5'].robustAccuracy,
  })
  expect(seen[0].seconds).toBe(0.5)
})

test('a witness comes with every broken image, and with what the model takes it for', async () => {
  const witnesses: Witness[] = []
  const effects = effectsOf(realChildren().startChild, { onWitness: (witness) => witnesses.push(witness) })
  const { samples } = await evaluate(requestOf(40, {}, { witnesses: true }), effects)
  const broken = samples.filter(({ label, predicted, threats }) => label === predicted && !threats['l2-0.5'].robust)
  const found = witnesses.filter(({ threat }) => threat === 'l2-0.5').sort((a, b) => a.index - b.index)
  expect(found.map(({ index }) => index)).toEqual(broken.map(({ index }) => index))
  expect(broken.length).toBeGreaterThan(0)
  for (const { label, predicted } of found) expect(predicted).toBe((label + 1) % 3)
})

describe('an evaluation that cannot be completed is an error and leaves no process', () => {
  test.each([
    ['a worker that crashes', { dieAt: 50 }, /SIGSEGV.*evaluating model\.onnx/],
    ['a worker that lies about a label', { lieAt: 50, lie: { label: 2 - (50 % 3) } }, /not possible.*image 50.*label/],
    ['a worker that answers twice', { lieAt: 50, lie: { index: 47 } }, /image 47 .*answered already/],
    ['a worker that answers for another one', { lieAt: 50, lie: { index: 2 } }, /image 2 was not asked for/],
    ['a worker that answers outside the protocol', { lieAt: 50, lie: { predicted: -1 } }, /not possible.*predicted/],
    ['a worker that fails', { failed: { kind: 'internal', message: 'no\nkernel' } }, /model\.onnx: no kernel$/],
  ])('%s', async (_, behaviour, message) => {
    const { startChild, children } = realChildren()
    const error = await causeOf(evaluate(requestOf(64, behaviour), effectsOf(startChild)))
    expect(error).toBeInstanceOf(EvaluationError)
    expect((error as EvaluationError).message).toMatch(message)
    expect(children).toHaveLength(2)
    const ends = await Promise.all(children.map((child) => child.exited))
    expect(ends.filter(({ reason }) => reason === 'finished')).toEqual([])
  })

  test.each([
    ['hangs in native code', { hangAt: 50 }],
    ['never answers for one image', { silentAt: 50 }],
  ])('a worker that %s, within the time limit', async (_, behaviour) => {
    const { startChild, children } = realChildren()
    const request = requestOf(64, behaviour, { limits: { seconds: 1, batch: 16 } })
    const error = await causeOf(evaluate(request, effectsOf(startChild)))
    expect(error).toBeInstanceOf(EvaluationError)
    expect((error as EvaluationError).message).toMatch(/^No answer within 1 s while evaluating model\.onnx/)
    await Promise.all(children.map((child) => child.exited))
  })

  test('one that is cancelled half way', async () => {
    const { startChild, children } = realChildren()
    const cancel = new AbortController()
    const onProgress = ({ done }: Progress) => (done === 20 ? cancel.abort() : undefined)
    const evaluation = evaluate(requestOf(200), effectsOf(startChild, { signal: cancel.signal, onProgress }))
    expect(await causeOf(evaluation)).toEqual(new EvaluationError('The evaluation was cancelled.'))
    const ends = await Promise.all(children.map((child) => child.exited))
    expect(ends.map(({ reason }) => reason)).toEqual(['killed', 'killed'])
  })

  test('one that is cancelled before it begins', async () => {
    const { startChild, children } = realChildren()
    const evaluation = evaluate(requestOf(20), effectsOf(startChild, { signal: AbortSignal.abort() }))
    expect(await causeOf(evaluation)).toBeInstanceOf(EvaluationError)
    expect(children).toEqual([])
  })
})

describe('what the user can mend', () => {
  test('comes from the child as it is', async () => {
    const failed = { kind: 'usage', message: 'model.onnx: has two inputs; give a model with one' }
    const error = await causeOf(evaluate(requestOf(20, { failed }), effectsOf(realChildren().startChild)))
    expect(error).toEqual(new UsageError(failed.message))
  })

  test('labels the model does not know are named with their image', async () => {
    const request = requestOf(20, { classes: 2 }, { dataset: { ...ramp(20), name: 'data.npz' } })
    const error = await causeOf(evaluate(request, effectsOf(realChildren().startChild)))
    expect(error).toBeInstanceOf(UsageError)
    expect((error as UsageError).message).toMatch(/^data\.npz: image 2 has label 2, but model\.onnx has 2 classes/)
  })
})
