import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } from 'onnx-buf'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Reply } from '../../src/engine/messages.js'
import { built, startWorker, type Conversation } from './support/child.js'
import { dataset, fixture, imagesOf, loadRequest, model } from './support/fixtures.js'

const fashion = dataset('fashion/fashion-test.npz', 24)
const outcomes = (replies: readonly Reply[]) =>
  replies
    .flatMap((reply) => (reply.type === 'outcome' ? [reply] : []))
    .toSorted((a, b) => a.outcome.index - b.outcome.index)

describe('the child process', () => {
  let child: Conversation
  beforeEach(() => {
    child = startWorker()
  })
  afterEach(() => child.end())

  test('decodes, loads, attacks, and sends a witness that fools the model inside the ball', async () => {
    const raw = { kind: 'npz', name: 'fashion-test.npz', bytes: fixture('fashion/fashion-test.npz') } as const
    const options = { range: [0, 1], layout: 'nchw', channels: 'auto' } as const
    const [decoded, ...pieces] = await child.ask({ type: 'decode', raw, options, samples: 24 }, 2)
    const { pixels, ...header } = fashion
    expect(decoded).toEqual({ type: 'decoded', dataset: { ...header, name: raw.name } })
    expect(pieces).toEqual([{ type: 'pixels', start: 0, pixels }])

    const [loaded] = await child.ask(
      loadRequest('fashion/fashion-standard.onnx', fashion, { witnesses: true, batch: 16 }),
    )
    expect(loaded).toEqual({
      type: 'loaded',
      classes: 10,
      batch: 16,
      engine: 'onnxruntime 1.30.0',
      gradient: true,
      flags: [],
    })

    const images = imagesOf(fashion)
    const replies = outcomes(await child.ask({ type: 'evaluate', images }, 24))
    expect(replies.map(({ outcome }) => outcome.index)).toEqual(images.map(({ index }) => index))
    const session = await InferenceSession.create(fixture('fashion/fashion-standard.onnx'))
    let broken = 0
    for (const { outcome, witnesses, gradients, forwards } of replies) {
      if (outcome.predicted !== outcome.label) {
        expect({ gradients, forwards }).toEqual({ gradients: 0, forwards: 1 })
        continue
      }
      expect({ gradients, forwards }).toEqual({ gradients: 1, forwards: 2 })
      const { robust, attacks } = outcome.threats['linf-0.1']
      expect(witnesses?.['linf-0.1'] === undefined).toBe(robust)
      if (!witnesses?.['linf-0.1']) continue
      broken++
      const x = witnesses['linf-0.1']
      const { logits } = await session.run({ image: new Tensor('float32', x, [1, 1, 28, 28]) })
      const scores = [...(logits.data as Float32Array)]
      expect(scores.indexOf(Math.max(...scores))).toBe(attacks.fgsm.predicted)
      const clean = images[outcome.index].pixels
      const distances = Array.from(x, (value, i) => Math.abs(value - clean[i]))
      expect(Math.max(...distances)).toBe(attacks.fgsm.distance)
      expect(attacks.fgsm.distance).toBeLessThanOrEqual(0.1)
    }
    expect(broken).toBeGreaterThan(10)
  })

  test('images that arrive in pieces give what they give together', async () => {
    const images = imagesOf(fashion)
    await child.ask(loadRequest('fashion/fashion-hardened.onnx', fashion))
    const together = outcomes(await child.ask({ type: 'evaluate', images }, 24))
    child.process.send({ type: 'evaluate', images: images.slice(0, 5) } as never)
    child.process.send({ type: 'evaluate', images: images.slice(5, 20).reverse() } as never)
    const pieces = outcomes(await child.ask({ type: 'evaluate', images: images.slice(20) }, 24))
    expect(pieces).toEqual(together)
  })

  test('weights in an external file are the ones the parent sent, and there is no other way to them', async () => {
    const { bytes, external } = withExternalWeights(fixture('fashion/fashion-hardened.onnx'))
    const request = loadRequest('fashion/fashion-hardened.onnx', fashion)
    await child.ask(request)
    const images = imagesOf(fashion)
    const expected = outcomes(await child.ask({ type: 'evaluate', images }, 24))
    const [loaded] = await child.ask({ ...request, model: { name: 'split.onnx', bytes, external } })
    expect(loaded).toMatchObject({ type: 'loaded', classes: 10 })
    expect(outcomes(await child.ask({ type: 'evaluate', images }, 24))).toEqual(expected)
    const [without] = await child.ask({ ...request, model: { name: 'split.onnx', bytes, external: {} } })
    expect(without).toMatchObject({ type: 'failed', kind: 'usage' })
  })

  test('inspects a model and makes its gradient', async () => {
    const [inspected] = await child.ask({ type: 'inspect', model: model('fashion/fashion-hardened.onnx') })
    expect(inspected).toMatchObject({ type: 'inspected', inspection: { problems: [] } })
    const [made] = await child.ask({ type: 'gradient', model: model('fashion/fashion-hardened.onnx') })
    if (made.type !== 'differentiated') throw new Error(JSON.stringify(made))
    const session = await InferenceSession.create(made.bytes)
    expect(session.outputNames.toSorted()).toEqual(['gradient', 'logits', 'loss'])
  })

  test.each([
    ['bytes that are no model', { model: { name: 'broken.onnx', bytes: Buffer.from('hello'), external: {} } }],
    ['images of another shape', { shape: [3, 32, 32] }],
  ])('%s: one line for the user, and the child lives on', async (_, rest) => {
    const [failed] = await child.ask(loadRequest('fashion/fashion-hardened.onnx', fashion, rest))
    if (failed.type !== 'failed') throw new Error(JSON.stringify(failed))
    expect(failed.kind).toBe('usage')
    expect(failed.message).toMatch(/^\S+\.onnx/)
    expect(failed.message).not.toContain('\n')
    const [loaded] = await child.ask(loadRequest('fashion/fashion-hardened.onnx', fashion))
    expect(loaded.type).toBe('loaded')
  })

  test('a label outside the classes is told with the image, before anything is attacked', async () => {
    await child.ask(loadRequest('fashion/fashion-hardened.onnx', fashion))
    const images = imagesOf(fashion).map((image) => ({ ...image, label: image.index === 3 ? 10 : image.label }))
    expect(await child.ask({ type: 'evaluate', images })).toEqual([
      {
        type: 'failed',
        kind: 'usage',
        message:
          "fashion/fashion-hardened.onnx: image 3 has the label 10, but the model has 10 classes (0 to 9); use data whose labels are the model's classes",
      },
    ])
  })

  test('images without a model are our mistake, not the user’s', async () => {
    expect(await child.ask({ type: 'evaluate', images: imagesOf(fashion) })).toMatchObject([{ kind: 'internal' }])
  })
})

describe('no child outlives its parent', () => {
  test('one that waits for requests ends when the channel closes', async () => {
    const child = fork(built('engine/worker.js'), [], { env: {}, execArgv: [], serialization: 'advanced' })
    await once(child, 'spawn')
    child.disconnect()
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('one that is stuck in native code is killed when the parent is killed', async () => {
    // The child blocks its event loop for longer than this test may take; the pipe it inherits closes when it and its parent are both dead.
    const stuck = `
      import { startWatchdog } from ${JSON.stringify(`file://${built('engine/watchdog.js')}`)}
      startWatchdog(process.ppid)
      process.stdout.write('stuck')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200_000)`
    const parent = spawn(
      process.execPath,
      [
        '-e',
        `require('child_process').spawn(process.execPath, ['--input-type=module', '-e', process.argv[1]], { stdio: 'inherit' })`,
        stuck,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    await once(parent.stdout, 'data')
    parent.kill('SIGKILL')
    await once(parent.stdout, 'close')
  })
})

/** The same model with every weight in one other file, as large models are exported. */
function withExternalWeights(bytes: Uint8Array) {
  const proto = fromBinary(ModelProtoSchema, bytes)
  const parts: Uint8Array[] = []
  let offset = 0
  for (const tensor of proto.graph?.initializer ?? []) {
    parts.push(tensor.rawData)
    tensor.externalData = Object.entries({ location: 'weights.bin', offset, length: tensor.rawData.length }).map(
      ([key, value]) => create(StringStringEntryProtoSchema, { key, value: String(value) }),
    )
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL
    offset += tensor.rawData.length
    tensor.rawData = new Uint8Array()
  }
  return { bytes: toBinary(ModelProtoSchema, proto), external: { 'weights.bin': new Uint8Array(Buffer.concat(parts)) } }
}
