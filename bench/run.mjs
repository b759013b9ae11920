import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { cpus } from 'node:os'
import { Tensor } from 'onnxruntime-node'
import { transpile } from '../scripts/transpile.mjs'

/**
 * Speed of the engine against onnxruntime's bare forward pass, and of PGD-20 from end to end; how long the gradient of a
 * model of 100 MB takes to make, what its session holds, and what the rules chosen by measurement were chosen from.
 *
 *     npm run bench                     all of it
 *     npm run bench -- --rounds 40      more rounds, for a noisy machine
 *     npm run bench -- --only engine    one part alone: engine, pgd, building, memory or alternatives
 *     npm run bench -- --batch 16       what the engine does with batches of another size than the product's
 *
 * What is compared runs in turn, round by round, in one process on one thread. Its time is the processor time that it took,
 * so that whatever else the machine does counts little; a rate is of the fastest round, a ratio the median of those of the
 * rounds. Beside the gradient's stands the bar that it is held against; the limit in arithmetic is 2.
 */
await transpile()
const { resnet18 } = await import('./resnet18.mjs')
const { mobilenetV3 } = await import('./mobilenetV3.mjs')
const { vit } = await import('./vit.mjs')
const { measureBuilding } = await import('./build.mjs')
const { measureMemory } = await import('./memory.mjs')
const { printAlternatives } = await import('./alternatives.mjs')
const { loadModel } = await import('../.build/engine/load.js')
const { openSession } = await import('../.build/engine/session.js')
const { evaluate } = await import('../.build/evaluation/evaluate.js')
const { loadDataset } = await import('../.build/evaluation/ask.js')
const { locateData } = await import('../.build/data/locate.js')
const { parseConfig } = await import('../.build/config/parse.js')
const { nodeHost } = await import('../.build/host.js')

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    only: { type: 'string' },
    batch: { type: 'string', default: '64' },
  },
})
const rounds = Number(values.rounds)
const fixture = (name) => new URL(`../fixtures/fashion/${name}`, import.meta.url)
const BATCH = Number(values.batch)

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

/** Of the processor, by all threads of this process: sessions have one, and nothing else runs meanwhile. */
async function seconds(work) {
  const began = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1e6
}

async function measureEngine(name, bytes, shape, bar) {
  const size = shape.reduce((product, length) => product * length, 1)
  const model = await loadModel({
    type: 'load',
    model: { name, bytes, external: {} },
    preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' },
    shape,
    layout: 'nchw',
    range: [0, 1],
    threats: [],
    attacks: parseConfig({}).suite.attacks,
    seed: 0,
    batch: BATCH,
    witnesses: false,
  })
  const session = await openSession(bytes)
  const points = Array.from({ length: BATCH }, (_, row) =>
    Float32Array.from({ length: size }, (__, at) => ((row * size + at) * 0.6180339887498949) % 1),
  )
  const image = new Tensor('float32', Float32Array.from(points.flatMap((point) => [...point])), [BATCH, ...shape])
  const questions = points.map((point, at) => ({
    kind: 'gradient',
    point,
    loss: { name: 'cross-entropy', label: at % 10 },
  }))
  const work = {
    bare: () => session.run({ [session.inputNames[0]]: image }),
    forward: () => model.engine.prediction.answer(points.map((point) => ({ kind: 'predict', point }))),
    gradient: () => model.engine.gradient.answer(questions),
  }
  const times = { bare: [], forward: [], gradient: [] }
  for (let round = -2; round < rounds; round++)
    for (const [kind, run] of Object.entries(work)) {
      const time = await seconds(run)
      if (round >= 0) times[kind].push(time)
    }
  const ratio = (kind) => median(times[kind].map((time, round) => time / times.bare[round]))
  const rate = (kind) => Math.round(BATCH / Math.min(...times[kind]))
  return {
    model: name,
    'bare forward /s': rate('bare'),
    'engine forward /s': rate('forward'),
    'engine gradient /s': rate('gradient'),
    'forward / bare': Number(ratio('forward').toFixed(2)),
    'gradient / bare': Number(ratio('gradient').toFixed(2)),
    'at most': bar,
    held: ratio('gradient') <= bar ? 'yes' : 'NO',
  }
}

async function measurePgd(file, workers) {
  const host = nodeHost(new URL('../.build/cli.js', import.meta.url).href, process)
  const config = parseConfig({ flags: { epsilon: '0.1' } })
  const raw = await locateData(fixture('fashion-test.npz').pathname, config.dataOptions, undefined)
  const dataset = await loadDataset(raw, config.dataOptions, undefined, { ...host, timeLimitSeconds: 600 })
  const suite = { name: 'pgd-20', version: 1, attacks: config.suite.attacks.filter(({ id }) => id === 'pgd') }
  const bytes = new Uint8Array(await readFile(fixture(file)))
  const runs = []
  for (let round = 0; round < Math.max(3, Math.round(rounds / 5)); round++) {
    const { cost } = await evaluate(
      {
        model: { name: file, bytes, external: {} },
        dataset,
        preprocessing: config.preprocessing,
        threats: config.threats,
        suite,
        seed: 0,
        limits: { ...config.limits, workers },
        toolVersion: 'bench',
      },
      host,
    )
    runs.push(cost)
  }
  const time = median(runs.map(({ seconds: taken }) => taken))
  return {
    model: file,
    workers,
    'images /s': Math.round(dataset.samples / time),
    'gradients /s': Math.round(runs[0].gradients / time),
    gradients: runs[0].gradients,
    'seconds, start of the children included': Number(time.toFixed(2)),
  }
}

const PARTS = {
  engine: async () => {
    const hardened = new Uint8Array(await readFile(fixture('fashion-hardened.onnx')))
    console.table([
      await measureEngine('fashion-hardened', hardened, [1, 28, 28], 2.5),
      await measureEngine('resnet18, half width', resnet18(), [3, 32, 32], 2.3),
      await measureEngine('resnet18', resnet18(64), [3, 32, 32], 2.3),
      await measureEngine('mobilenet v3 small', mobilenetV3(), [3, 32, 32], 2.6),
      await measureEngine('vit, 192 wide, 6 deep', vit(), [3, 32, 32], 2.6),
    ])
  },
  pgd: async () => {
    console.log('PGD-20, 500 images, end to end')
    console.table([
      await measurePgd('fashion-hardened.onnx', 1),
      await measurePgd('fashion-hardened.onnx', 2),
      await measurePgd('fashion-finetuned.onnx', 2),
    ])
  },
  building: async () => {
    console.log('Making the gradient of a model of 100 MB')
    console.table(await measureBuilding())
  },
  memory: async () => {
    console.log('Memory of a gradient session at batch 32, over its weights and what is saved of the forward pass')
    console.table(await measureMemory())
  },
  alternatives: async () => {
    console.log('Rules chosen by measurement, over the other ways to write them')
    await printAlternatives()
  },
}

const { only } = values
if (only !== undefined && !Object.hasOwn(PARTS, only))
  throw new Error(`--only ${only}: there is ${Object.keys(PARTS).join(', ')}`)
console.log(`${cpus()[0].model}, Node ${process.version}, batch ${BATCH}, ${rounds} rounds`)
for (const [name, part] of Object.entries(PARTS)) if (only === undefined || only === name) await part()
