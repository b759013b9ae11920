import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Tensor } from 'onnxruntime-node'
import { transpile } from '../scripts/transpile.mjs'

/**
 * The memory of a gradient session at batch 32, over what it cannot do without: the weights, and what the gradient part
 * reads of the forward pass.
 *
 *     node bench/memory.mjs             prints a table
 *     node bench/memory.mjs --values    and what is kept, the largest first
 */
await transpile()
const { buildSurrogate } = await import('../.build/autodiff/surrogate.js')
const { decodeModel, encodeModel } = await import('../.build/onnx/codec.js')
const { modelRunner, openSession } = await import('../.build/engine/session.js')
const { makeNode } = await import('../.build/onnx/attributes.js')
const { resnet18 } = await import('./resnet18.mjs')
const { mobilenetV3 } = await import('./mobilenetV3.mjs')
const { vit } = await import('./vit.mjs')

const BATCH = 32
const SHAPE = [3, 32, 32]
const megabytes = (bytes) => Number((bytes / 1e6).toFixed(1))

/** What nodes of the gradient read of the forward pass, by the names of the nodes that make it: a Reshape copies nothing. */
function savedValues({ nodes, inputs }) {
  const isGradient = ({ outputs }) => outputs[0].startsWith('gradient')
  const forward = nodes.filter((node) => !isGradient(node))
  const views = new Map(
    forward
      .filter(({ op }) => ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Identity'].includes(op))
      .map(({ inputs: [from], outputs: [to] }) => [to, from]),
  )
  const source = (name) => (views.has(name) ? source(views.get(name)) : name)
  const made = new Set([...inputs.map(({ name }) => name), ...forward.flatMap(({ outputs }) => outputs)])
  // A Shape is told from a value that nobody keeps.
  const readers = nodes.filter((node) => isGradient(node) && !['Shape', 'Size'].includes(node.op))
  return new Set(readers.flatMap(({ inputs: read }) => read.filter((name) => made.has(name)).map(source)))
}

async function sizesOf(graph, names) {
  const outputs = [...names].filter((name) => !graph.inputs.some((input) => input.name === name))
  const session = await openSession(encodeModel({ ...graph, outputs: outputs.map((name) => ({ name })) }))
  const image = new Tensor('float32', new Float32Array(BATCH * 3072), [BATCH, ...SHAPE])
  const integers = () => new Tensor('int64', new BigInt64Array(BATCH), [BATCH])
  const direction = new Tensor('float32', new Float32Array(BATCH * 10), [BATCH, 10])
  const feeds = { image, label: integers(), loss: integers(), target: integers(), direction }
  const results = await session.run(feeds)
  const sizes = outputs.map((name) => ({
    name,
    dims: results[name].dims.join(' × '),
    bytes: results[name].data.byteLength,
  }))
  await session.release()
  return sizes.toSorted((a, b) => b.bytes - a.bytes)
}

/** A model that does nothing: what onnxruntime itself takes. */
const NOTHING = encodeModel({
  name: 'nothing',
  opsets: new Map([['', 17]]),
  irVersion: 8,
  inputs: [{ name: 'x', type: 'float32', dims: ['batch'] }],
  outputs: [{ name: 'y' }],
  nodes: [makeNode('Neg', ['x'], ['y'])],
  constants: new Map(),
})

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0)

async function grown(bytes) {
  const folder = await mkdtemp(join(tmpdir(), 'memory-'))
  try {
    const model = join(folder, 'model.onnx')
    await writeFile(model, bytes)
    const script = fileURLToPath(new URL('sessionMemory.mjs', import.meta.url))
    const { stdout } = await promisify(execFile)(process.execPath, [script, model, String(BATCH)])
    return JSON.parse(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function measure(name, bytes, { idle, showValues }) {
  const run = modelRunner()
  const preprocessing = { mean: [0], std: [1], channelOrder: 'rgb' }
  const losses = ['cross-entropy', 'margin']
  const { gradientModel } = await buildSurrogate(
    { name, bytes, external: {} },
    { shape: SHAPE, layout: 'nchw', range: [0, 1], preprocessing, batch: BATCH, losses, run },
  )
  await run.close()
  const graph = decodeModel(gradientModel, { name, external: {} })
  const saved = await sizesOf(graph, savedValues(graph))
  if (showValues) console.table(saved.slice(0, 40))
  const weights = sum([...graph.constants.values()].map(({ data }) => data.byteLength ?? 0))
  const activations = sum(saved.map(({ bytes: size }) => size))
  const [bare, gradient] = [await grown(bytes), await grown(gradientModel)]
  const running = gradient.running - idle.running
  return {
    model: name,
    'MB weights': megabytes(weights),
    'MB saved activations': megabytes(activations),
    'MB session, opened': megabytes(gradient.opened - idle.opened),
    'MB session, running': megabytes(running),
    'running / (weights + saved)': Number((running / (weights + activations)).toFixed(2)),
    'MB bare forward, running': megabytes(bare.running - idle.running),
  }
}

/** One row for each model, for console.table. What onnxruntime takes for a model that does nothing is not counted. */
export async function measureMemory({ showValues = false } = {}) {
  const idle = await grown(NOTHING)
  const models = { 'resnet18, half width': resnet18, 'mobilenet v3 small': mobilenetV3, 'vit, 192 wide, 6 deep': vit }
  const rows = []
  for (const [name, model] of Object.entries(models)) rows.push(await measure(name, model(), { idle, showValues }))
  return rows
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  console.table(await measureMemory({ showValues: process.argv.includes('--values') }))
