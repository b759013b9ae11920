import { gradientModelOf } from '../../src/autodiff/gradientModel.js'
import { modelRunner } from '../../src/engine/session.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { runModel } from '../support/onnxruntime.js'
import { generator, numbersOf } from './support.js'

export const PIXELS = 64
const random = generator(11)
/** Two classes: z₀ = 0, z₁ = w · (noise applied to x). */
export const WEIGHTS = Float32Array.from({ length: 2 * PIXELS }, (_, at) => (at % 2 === 0 ? 0 : random() - 0.5))

/** A classifier of images `x` [n, PIXELS] by `noisy`, which `nodes` make of them. */
export function noisyClassifier(
  opset: number,
  nodes: readonly Node[],
  constants: Readonly<Record<string, Tensor>> = {},
  batch: number | string = 'n',
): Uint8Array {
  return encodeModel({
    name: 'chance',
    opsets: new Map([['', opset]]),
    irVersion: 8,
    inputs: [{ name: 'x', type: 'float32', dims: [batch, PIXELS] }],
    outputs: [{ name: 'y', type: 'float32', dims: [batch, 2] }],
    nodes: [...nodes, makeNode('MatMul', ['noisy', 'w'], ['y'])],
    constants: new Map([
      ...Object.entries(constants),
      ['w', { type: 'float32', dims: [PIXELS, 2], data: WEIGHTS }] as const,
    ]),
  })
}

/** z₁ and dz₁/dx of several runs, from the gradient of cross-entropy for class 0, which is softmax(z)₁ · dz₁/dx. */
export async function drawn(bytes: Uint8Array, x: Tensor, runs: number) {
  const gradient = await gradientModelOf({ name: 'chance.onnx', bytes, external: {} }, runModel)
  const run = modelRunner()
  const label: Tensor = { type: 'int64', dims: [1], data: BigInt64Array.of(0n) }
  const found: { z: number; slope: number[] }[] = []
  for (let at = 0; at < runs; at++) {
    const answers = await run(gradient, new Map([['x', x] as const, ['label', label] as const]))
    const [, z] = numbersOf(answers.get('logits') as Tensor)
    const share = 1 / (1 + Math.exp(-z))
    found.push({ z, slope: numbersOf(answers.get('gradient') as Tensor).map((value) => value / share) })
  }
  await run.close()
  return found
}
