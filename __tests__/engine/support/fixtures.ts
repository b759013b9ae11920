import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Preprocessing } from '../../../src/config/types.js'
import { decodeData } from '../../../src/data/decode.js'
import type { Dataset } from '../../../src/data/types.js'
import type { LoadRequest, ModelBytes } from '../../../src/engine/messages.js'

export const fixture = (name: string): Buffer =>
  readFileSync(fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url)))

export const model = (name: string): ModelBytes => ({ name, bytes: fixture(name), external: {} })

export const dataset = (name: string, samples: number): Dataset =>
  decodeData({ kind: 'npz', name, bytes: fixture(name) }, { range: [0, 1], layout: 'nchw', channels: 'auto' }, samples)

export const plain: Preprocessing = { mean: [0], std: [1], channelOrder: 'rgb' }

export function imagesOf({ samples, labels, pixels }: Dataset) {
  const size = pixels.length / samples
  return Array.from({ length: samples }, (_, index) => ({
    index,
    label: labels[index],
    pixels: pixels.slice(index * size, (index + 1) * size),
  }))
}

export function loadRequest(name: string, data: Dataset, rest: Partial<LoadRequest> = {}): LoadRequest {
  return {
    type: 'load',
    model: model(name),
    preprocessing: plain,
    shape: data.shape,
    layout: data.layout,
    range: data.range,
    threats: [{ id: 'linf-0.1', norm: 'linf', epsilon: 0.1 }],
    attacks: [{ name: 'fgsm', id: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }],
    seed: 0,
    quantised: false,
    batch: 64,
    witnesses: false,
    ...rest,
  }
}
