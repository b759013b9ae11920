import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { transpile } from '../scripts/transpile.mjs'

/**
 * How long it takes to make the gradient of a model of 100 MB.
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
const { values } = parseArgs({ options: { profile: { type: 'boolean', default: false } }, strict: false })

/** Seconds for a model of 100 MB. */
const BAR = 5

/** Weights that keep a signal's size through a layer of so many inputs: the place's bits, scrambled (a multiplicative hash). */
function weights(dims, inputs) {
  const size = Math.sqrt(3 / inputs)
  const data = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, at) => {
    const bits = Math.imul(at ^ (at >>> 15), 0x2c1b3c6d)
    return (Math.imul(bits ^ (bits >>> 12), 0x297a2d39) / 2 ** 31) * size
  })
  return { type: 'float32', dims, data }
}

/** Quantised as QDQ: weights in int8, which are four times as large once they are folded to float32. */
function mlp(sizes, { quantised = false } = {}) {
  const constants = new Map()
  const nodes = [makeNode('Flatten', ['image'], ['h0'])]
  constants.set('scale', { type: 'float32', dims: [], data: Float32Array.of(2 ** -10) })
  sizes.slice(1).forEach((size, at) => {
    const weight = weights([size, sizes[at]], sizes[at])
    if (quantised) {
      constants.set(`q${at}`, {
        ...weight,
        type: 'int8',
        data: Int8Array.from(weight.data, (w) => Math.round(w * 1024)),
      })
      nodes.push(makeNode('DequantizeLinear', [`q${at}`, 'scale'], [`w${at}`]))
    } else constants.set(`w${at}`, weight)
    const last = at === sizes.length - 2
    nodes.push(makeNode('Gemm', [`h${at}`, `w${at}`], [last ? 'logits' : `z${at}`], { transB: 1 }))
    if (last) return
    nodes.push(makeNode('Relu', [`z${at}`], [quantised ? `r${at}` : `h${at + 1}`]))
    if (quantised)
      nodes.push(
        makeNode('QuantizeLinear', [`r${at}`, 'scale'], [`s${at}`]),
        makeNode('DequantizeLinear', [`s${at}`, 'scale'], [`h${at + 1}`]),
      )
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
  const processor = process.cpuUsage()
  const began = performance.now()
  const { gradientModel } = await buildSurrogate(
    { name, bytes, external: {} },
    { shape, layout: 'nchw', range: [0, 1], preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' }, run: timed },
  )
  await run.close()
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(processor)
  if (values.profile) console.table(steps)
  return {
    model: name,
    'MB in': Math.round(bytes.byteLength / 1e6),
    'MB out': Math.round(gradientModel.byteLength / 1e6),
    seconds: Number(seconds.toFixed(2)),
    'at most': BAR,
    held: seconds <= BAR ? 'yes' : 'NO',
    'of the processor': Number(((user + system) / 1e6).toFixed(2)),
    'of it in onnxruntime': Number(steps.reduce((sum, step) => sum + step.seconds, 0).toFixed(2)),
  }
}

/** One row for each model, for console.table. */
export async function measureBuilding() {
  return [
    await measure('mlp, 784-4700-4700-10', mlp([784, 4700, 4700, 10]), [1, 28, 28]),
    await measure('mlp, 784-9600-9600-10, int8', mlp([784, 9600, 9600, 10], { quantised: true }), [1, 28, 28]),
    await measure('resnet18, 96 channels', resnet18(96), [3, 32, 32]),
  ]
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.table(await measureBuilding())
