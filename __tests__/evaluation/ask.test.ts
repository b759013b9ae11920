import { describe, expect, test } from '@jest/globals'
import type { DataOptions } from '../../src/config/types.js'
import { EvaluationError, UsageError } from '../../src/errors.js'
import { gradientModel, inspectModel, loadDataset } from '../../src/evaluation/ask.js'
import { realChildren } from './support.js'

const options: DataOptions = { range: [0, 1], layout: 'flat', channels: 'auto' }
const effects = (signal?: AbortSignal) => ({ startChild: realChildren().startChild, timeLimitSeconds: 60, signal })

function load(behaviour: object, samples?: number) {
  const bytes = new TextEncoder().encode(JSON.stringify(behaviour))
  return loadDataset({ kind: 'npz', name: 'data.npz', bytes }, options, samples, effects())
}

describe('a dataset that a child decoded', () => {
  test('arrives', async () => {
    expect(await load({}, 5)).toMatchObject({ name: 'data.npz', samples: 5, labels: Int32Array.of(0, 1, 2, 0, 1) })
  })

  test('is refused by the child in words for the user', async () => {
    const failed = { kind: 'usage', message: 'data.npz: has no array x; name the images x' }
    await expect(load({ failed })).rejects.toEqual(new UsageError(failed.message))
  })

  test.each([
    ...['fewer images', 'fewer pixels', 'more pixels', 'pixels in another order', 'pixels twice', 'pieces of nothing'],
    ...['more than fits', 'fewer labels', 'negative label', 'not a number', 'outside the range'],
  ])('is no answer with %s', async (lie) => {
    await expect(load({ lie }, 2)).rejects.toThrow(EvaluationError)
  })
})

test('a model is inspected and differentiated in a child that is gone afterwards', async () => {
  const { startChild, children } = realChildren()
  const model = { name: 'model.onnx', bytes: Uint8Array.of(1, 2, 3), external: {} }
  const asking = { startChild, timeLimitSeconds: 60 }
  expect(await inspectModel(model, asking)).toMatchObject({ bytes: 3, problems: [] })
  expect(await gradientModel(model, asking)).toEqual(Uint8Array.of(3, 2, 1))
  const ends = await Promise.all(children.map((child) => child.exited))
  expect(ends.map(({ reason }) => reason)).toEqual(['killed', 'killed'])
})
