import type { Asking } from '../attacks/protocol.js'
import { gradientModelOf } from '../autodiff/gradientModel.js'
import { decodeData } from '../data/decode.js'
import { decodeWitnesses } from '../data/witnesses.js'
import { UsageError } from '../errors.js'
import { externalLocations } from '../onnx/external.js'
import { elementCount } from '../onnx/tensor.js'
import { inspect } from './inspect.js'
import { evaluateImage, type ImageResult } from './image.js'
import { loadModel, type LoadedModel } from './load.js'
import { MAXIMUM_EXTERNAL_FILES } from './messages.js'
import type { ImageTask, LoadRequest, ModelBytes, Reply, Request } from './messages.js'
import { replayPoint, type Replayed } from './replay.js'
import { Scheduler, type Cost } from './scheduler.js'
import { modelRunner } from './session.js'
import { tryBatch } from './tryBatch.js'

interface Evaluator {
  readonly request: LoadRequest
  readonly model: LoadedModel
  readonly scheduler: Scheduler<ImageResult | Replayed>
}

/**
 * What the child does: takes requests in order and replies to each; images that come while others are under attack
 * join them. Nothing is thrown: what goes wrong is a reply, and a model that failed under attack is done with.
 *
 * @param send - Resolves when the reply is on its way and takes up no memory here any more.
 * @returns what to call with each request
 */
export function serve(send: (reply: Reply) => Promise<void>): (request: Request) => void {
  let evaluator: Evaluator | undefined
  let last: Promise<void> = Promise.resolve()

  const handle = async (request: Request): Promise<void> => {
    switch (request.type) {
      case 'decode':
        return decode(request, send)
      case 'locate':
        return send({ type: 'needs', locations: missingFiles(request.model) })
      case 'inspect':
        return send({ type: 'inspected', inspection: await inspect(request.model) })
      case 'gradient': {
        const run = modelRunner(request.model.external)
        const bytes = await gradientModelOf(request.model, run).finally(run.close)
        return send({ type: 'differentiated', bytes })
      }
      case 'load': {
        const model = await loadModel(request)
        evaluator = { request, model, scheduler: new Scheduler(model.engine, reporter(request.witnesses, send)) }
        const { classes, batch, runtime, plan, flags } = model
        return send({ type: 'loaded', classes, batch, engine: runtime, gradient: plan.gradient, flags: [...flags] })
      }
      case 'unpack':
        return unpack(request, send)
      case 'try': {
        if (!evaluator) throw new Error('images came before a model was loaded')
        for (const image of request.images) check(image, evaluator)
        return send({ type: 'tried', predicted: await tryBatch(request, evaluator.model.engine) })
      }
      case 'evaluate':
      case 'replay': {
        if (!evaluator) throw new Error('images came before a model was loaded')
        const { model, scheduler } = evaluator
        for (const image of request.images) check(image, evaluator)
        const run = (image: ImageTask): Asking<ImageResult | Replayed> =>
          request.type === 'replay' ? replayPoint(image) : evaluateImage(image, model.plan)
        // Not awaited: requests that come meanwhile may add images.
        scheduler.run(request.images.map(run)).catch(fail)
      }
    }
  }
  const fail = (error: unknown): Promise<void> => send(failure(error))

  return (request) => {
    last = last.then(() => handle(request)).catch(fail)
  }
}

/** Elements of a piece: a megabyte. One message for all would be a second copy of gigabytes here, and a third on the other side. */
const PIECE = 2 ** 18

async function decode(
  { raw, options, samples }: Extract<Request, { type: 'decode' }>,
  send: (reply: Reply) => Promise<void>,
): Promise<void> {
  const { shape, range, classNames, pixels, ...dataset } = decodeData(raw, options, samples)
  const [low, high] = range
  await send({
    type: 'decoded',
    dataset: { ...dataset, shape: [...shape], range: [low, high], classNames: classNames && [...classNames] },
  })
  await sendPixels(pixels, send)
}

async function unpack(
  { bytes, name }: Extract<Request, { type: 'unpack' }>,
  send: (reply: Reply) => Promise<void>,
): Promise<void> {
  const { shape, pixels, indices, labels } = decodeWitnesses(bytes, name)
  await send({ type: 'unpacked', shape: [...shape], indices, labels })
  await sendPixels(pixels, send)
}

async function sendPixels(pixels: Float32Array, send: (reply: Reply) => Promise<void>): Promise<void> {
  for (let start = 0; start < pixels.length; start += PIECE)
    await send({ type: 'pixels', start, pixels: pixels.subarray(start, start + PIECE) })
}

function missingFiles({ name, bytes, external }: ModelBytes): string[] {
  const missing = externalLocations(bytes, name).filter((location) => !Object.hasOwn(external, location))
  if (missing.length > MAXIMUM_EXTERNAL_FILES)
    throw new UsageError(
      `${name}: keeps its weights in ${missing.length} files, more than ${MAXIMUM_EXTERNAL_FILES}; save it with one file of weights`,
    )
  return missing
}

function reporter(
  withWitnesses: boolean,
  send: (reply: Reply) => Promise<void>,
): (result: ImageResult | Replayed, cost: Cost) => void {
  return (result, { gradients, forwards }) => {
    if (!('outcome' in result)) return send({ type: 'replayed', ...result })
    const { outcome, witnesses } = result
    return send({
      type: 'outcome',
      outcome,
      gradients,
      forwards,
      ...(withWitnesses && { witnesses: { ...witnesses } }),
    })
  }
}

function check({ index, label, pixels }: ImageTask, { request, model }: Evaluator): void {
  if (!(label >= 0 && label < model.classes))
    throw new UsageError(
      `${request.model.name}: image ${index} has the label ${label}, but the model has ${model.classes} classes (0 to ${model.classes - 1}); use data whose labels are the model's classes`,
    )
  if (pixels.length !== elementCount(request.shape))
    throw new Error(`image ${index} has ${pixels.length} values, not [${request.shape.join(', ')}]`)
}

/** What went wrong, as a reply: one line, without a stack. */
export function failure(error: unknown): Extract<Reply, { type: 'failed' }> {
  const message = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim()
  return { type: 'failed', kind: error instanceof UsageError ? 'usage' : 'internal', message: message || 'unknown' }
}
