import { Tensor } from 'onnxruntime-node'
import { openSession } from '../../.build/engine/session.js'
import { encodeModel } from '../../.build/onnx/codec.js'

const size = (dims) => dims.reduce((product, length) => product * length, 1)
const values = (dims) => Float32Array.from({ length: size(dims) }, (_, at) => ((at * 0.6180339887498949) % 1) - 0.5)

export const floats = (dims, data = values(dims)) => ({ type: 'float32', dims, data })
export const filled = (dims, value) => floats(dims, new Float32Array(size(dims)).fill(value))
export const ints = (list, dims = [list.length]) => ({ type: 'int64', dims, data: BigInt64Array.from(list, BigInt) })

const ROUNDS = 40

/**
 * Runs ways to compute the same thing in turn, on one thread.
 *
 * @param ways name → [nodes from the inputs to `y`, constants]; the first is the one that the others are put over.
 * @returns a row for each way: the fastest of its rounds (whatever else the machine does adds to a run of milliseconds and
 *   takes nothing from it), and that over the chosen way's.
 */
export async function compare(title, inputs, ways) {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, dims, data }]) => [name, new Tensor(type, data, dims)]),
  )
  const runs = []
  for (const [way, [nodes, constants = {}]] of Object.entries(ways)) {
    const model = encodeModel({
      name: 'way',
      opsets: new Map([
        ['', 24],
        ['com.microsoft', 1],
      ]),
      irVersion: 10,
      inputs: Object.entries(inputs).map(([name, { type, dims }]) => ({ name, type, dims })),
      outputs: [{ name: 'y' }],
      nodes,
      constants: new Map(Object.entries(constants)),
    })
    runs.push({ way, session: await openSession(model), times: [] })
  }
  await agree(title, feeds, runs)
  for (let round = -3; round < ROUNDS; round++)
    for (const { session, times } of runs) {
      const began = performance.now()
      await session.run(feeds)
      if (round >= 0) times.push(performance.now() - began)
    }
  const fastest = runs.map(({ times }) => Math.min(...times))
  return runs.map(({ way }, at) => ({
    what: title,
    way,
    ms: Number(fastest[at].toFixed(2)),
    'over chosen': Number((fastest[at] / fastest[0]).toFixed(2)),
  }))
}

/** A thousandth of the largest number is far above what another order of summation does. */
async function agree(title, feeds, [chosen, ...others]) {
  const expected = (await chosen.session.run(feeds)).y.data
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  for (const { way, session } of others) {
    const { data } = (await session.run(feeds)).y
    if (data.length !== expected.length || data.some((value, at) => Math.abs(value - expected[at]) > 1e-3 * largest))
      throw new Error(`${title}: "${way}" gives something else`)
  }
}
