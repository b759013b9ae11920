import { parseArgs } from 'node:util'
import { transpile } from '../scripts/transpile.mjs'

/**
 * How long it takes to make the gradient of a model of 100 MB, and what it takes in memory.
 *
 *     node bench/build.mjs              prints a table
 *     node bench/build.mjs --profile    which runs and encodings it is made of
 */
await transpile()
const { buildSurrogate } = await import('../.build/autodiff/surrogate.js')
const { encodeModel } = await import('../.build/onnx/codec.js')
const { makeNode } = await import('../.build/onnx/attributes.js')
const { modelRunner } = await import('../.build/engine/session.js')
const { resnet18 } = await import('./resnet18.mjs')
const { values } = parseArgs({ options: { profile: { type: 'boolean', default: false } } })

/** Weights that keep a signal's size through a layer of so many inputs. */
function weights(dims, inputs) {
  const data = Float32Array.from(
    { length: dims.reduce((a, b) => a * b, 1) },
    (_, at) => Math.sin(at * 12.9898) * Math.sqrt(3 / inputs),
  )
  return { type: 'float32', dims, data }
}

function mlp(sizes) {
  const constants = new Map()
  const nodes = [makeNode('Flatten', ['image'], ['h0'])]
  sizes.slice(1).forEach((size, at) => {
    constants.set(`w${at}`, weights([size, sizes[at]], sizes[at]))
    const last = at === sizes.length - 2
    nodes.push(makeNode('Gemm', [`h${at}`, `w${at}`], [last ? 'logits' : `z${at}`], { transB: 1 }))
    if (!last) nodes.push(makeNode('Relu', [`z${at}`], [`h${at + 1}`]))
  })
  return encodeModel({
    name: 'mlp',
    opsets: new Map([['', 17]]),
    irVersion: 8,
    inputs: [{ name: 'image', type: 'float32', dims: ['batch', 1, 28, 28] }],
    outputs: [{ name: 'logits', type: 'float32', dims: ['batch', 10] }],
    nodes,
    constants,
  })
}

async function measure(name, bytes, shape) {
  const steps = []
  const run = modelRunner()
  const timed = async (model, feeds, outputs) => {
    const began = performance.now()
    const result = await run(model, feeds, outputs)
    steps.push({ megabytes: Math.round(model.byteLength / 1e6), seconds: (performance.now() - began) / 1000 })
    return result
  }
  const before = process.memoryUsage().rss
  const began = performance.now()
  const { gradientModel } = await buildSurrogate(
    { name, bytes, external: {} },
    { shape, layout: 'nchw', range: [0, 1], preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' }, run: timed },
  )
  await run.close()
  const seconds = (performance.now() - began) / 1000
  if (values.profile) console.table(steps)
  return {
    model: name,
    'MB in': Math.round(bytes.byteLength / 1e6),
    'MB out': Math.round(gradientModel.byteLength / 1e6),
    seconds: Number(seconds.toFixed(2)),
    'of it in onnxruntime': Number(steps.reduce((sum, step) => sum + step.seconds, 0).toFixed(2)),
    'MB of memory more': Math.round((process.memoryUsage().rss - before) / 1e6),
  }
}

console.log('Making the gradient of a model of 100 MB')
console.table([
  await measure('mlp, 784-4700-4700-10', mlp([784, 4700, 4700, 10]), [1, 28, 28]),
  await measure('resnet18, 96 channels', resnet18(96), [3, 32, 32]),
])
