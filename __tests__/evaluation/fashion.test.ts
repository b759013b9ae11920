import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { namedSuite } from '../../src/config/suites.js'
import type { Dataset } from '../../src/data/types.js'
import { EvaluationError, UsageError } from '../../src/errors.js'
import { evaluate, loadDataset } from '../../src/evaluation/evaluate.js'
import type { EvaluationRequest } from '../../src/evaluation/evaluate.js'
import { readModelFile } from '../../src/evaluation/modelFile.js'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults } from '../../src/evaluation/resultsFile.js'
import { effectsOf, realChildren } from './support.js'

const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))
const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/fashion/${name}`, import.meta.url))
const effects = () => effectsOf(realChildren(worker).startChild)

const SAMPLES = 32
let dataset: Dataset

beforeAll(async () => {
  const bytes = await readFile(fixture('fashion-test.npz'))
  const options = { range: [0, 1], layout: 'nchw', channels: 'auto' } as const
  const raw = { kind: 'npz', name: 'fashion-test.npz', bytes } as const
  dataset = await loadDataset(raw, options, SAMPLES, { ...effects(), timeLimitSeconds: 60 })
})

async function evaluation(rest: Partial<EvaluationRequest>): Promise<Results> {
  const request: EvaluationRequest = {
    model: await readModelFile(fixture('fashion-hardened.onnx'), 'fashion-hardened.onnx'),
    dataset,
    preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' },
    threats: [{ id: 'linf-0.1', norm: 'linf', epsilon: 0.1 }],
    suite: namedSuite('quick'),
    seed: 0,
    limits: { seconds: 100, batch: 16 },
    toolVersion: '0',
    ...rest,
  }
  return evaluate(request, effects())
}

describe('a real model in real children', () => {
  test('falls for what PyTorch found it to fall for', async () => {
    const golden = JSON.parse(await readFile(fixture('golden.json'), 'utf8')).hardened
    const { samples, model, tool } = await evaluation({})
    expect(model.classes).toBe(10)
    expect(tool.engine).toBe('onnxruntime 1.30.0')
    expect(samples.map(({ label }) => label)).toEqual(golden.label.slice(0, SAMPLES))
    expect(samples.map(({ predicted }) => predicted)).toEqual(golden.clean.slice(0, SAMPLES))
    const differing = samples.filter(({ index, label, predicted, threats }) => {
      const broken = threats['linf-0.1'].attacks['fgsm']?.success
      return label === predicted && broken !== (golden.fgsm_predicted[index] !== label)
    })
    // PyTorch's sum of a convolution has another order: an image on the very border may fall to either side.
    expect(differing.length).toBeLessThanOrEqual(1)
  })

  test('gives the same results to the byte with one worker and with two', async () => {
    const texts: string[] = []
    for (const workers of [1, 2]) {
      const results = await evaluation({ limits: { seconds: 100, batch: 16, workers } })
      texts.push(formatResults({ ...results, cost: { ...results.cost, seconds: 0 } }))
    }
    expect(texts[1]).toBe(texts[0])
  })

  test('a file that is no model is the user’s mistake, with its name', async () => {
    const model = { name: 'notes.onnx', bytes: new TextEncoder().encode('# not a model\n'), external: {} }
    await expect(evaluation({ model })).rejects.toThrow(UsageError)
    await expect(evaluation({ model })).rejects.toThrow(/notes\.onnx/)
  })

  test('the time limit ends a real evaluation', async () => {
    const limits = { seconds: 0.05, batch: 16 }
    await expect(evaluation({ limits })).rejects.toThrow(EvaluationError)
    await expect(evaluation({ limits })).rejects.toThrow(/No answer within 0\.05 s/)
  })
})
