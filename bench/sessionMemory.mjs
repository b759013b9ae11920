import { readFile } from 'node:fs/promises'
import { Tensor } from 'onnxruntime-node'
import { openSession } from '../.build/engine/session.js'

/**
 * What a process grows by when it opens a model and runs it: a process of its own, because onnxruntime tells nobody what
 * its arena holds.
 *
 *     node bench/sessionMemory.mjs model.onnx 32      prints bytes as JSON
 */
const [model, batch] = process.argv.slice(2)
const ARRAYS = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array }

const bytes = new Uint8Array(await readFile(model))
const before = process.memoryUsage.rss()
const session = await openSession(bytes)
const opened = process.memoryUsage.rss()
const feeds = Object.fromEntries(
  session.inputMetadata.map(({ name, type, shape }) => {
    const dims = shape.map((size) => (typeof size === 'number' ? size : Number(batch)))
    const data = new ARRAYS[type](dims.reduce((product, size) => product * size, 1))
    return [name, new Tensor(type, data, dims)]
  }),
)
for (let run = 0; run < 4; run++) await session.run(feeds)
const running = process.memoryUsage.rss()
// maxRSS is in KiB.
const peak = Math.max(process.resourceUsage().maxRSS * 1024, running)
console.log(JSON.stringify({ opened: opened - before, running: running - before, peak: peak - before }))
