import type { Surrogate } from '../../src/autodiff/surrogate.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { runModel, runModelWith } from '../support/onnxruntime.js'
import { floating, integers } from './support.js'

export const plain = { mean: [0], std: [1], channelOrder: 'rgb' } as const
export const mnist = { shape: [1, 28, 28], layout: 'nchw', range: [0, 1], preprocessing: plain, run: runModel } as const
export const run = runModelWith('all')

export interface Answer {
  readonly logits: readonly number[]
  readonly value: readonly number[]
  readonly gradient: readonly number[]
}

/** Asks the gradient model for one loss of images with these labels; targets are the classes behind them. */
export async function ask(
  { gradientModel, classes }: Surrogate,
  x: Tensor,
  loss: number,
  labels: readonly number[],
): Promise<Answer> {
  const rows = labels.length
  const results = await run(
    gradientModel,
    new Map<string, Tensor>([
      ['image', x],
      ['label', integers(labels)],
      ['loss', integers(labels.map(() => loss))],
      ['target', integers(labels.map((label) => (label + 1) % classes))],
      [
        'direction',
        floating(
          'float32',
          [rows, classes],
          Array.from({ length: rows * classes }, (_, at) => Math.sin(at + 1)),
        ),
      ],
    ]),
  )
  const of = (name: string): readonly number[] => Array.from(results.get(name)?.data as Float32Array)
  return { logits: of('logits'), value: of('value'), gradient: of('gradient') }
}
