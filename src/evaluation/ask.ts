import type { Inspection } from '../autodiff/inspection.js'
import type { DataOptions } from '../config/types.js'
import { MAXIMUM_BYTES } from '../data/files.js'
import { MAXIMUM_PIXELS } from '../data/pixels.js'
import type { Dataset, RawData } from '../data/types.js'
import type { StoredWitnesses } from '../data/witnesses.js'
import type { ModelBytes, Request } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import type { Answer, ChildEffects } from './children.js'
import { answers, impossibleReply, withChildren } from './children.js'
import { mayNameFiles, modelSize } from './modelFile.js'
import type { ModelFile } from './modelFile.js'

/** For one question to one child. */
export interface AskEffects extends ChildEffects {
  /** Wall clock. */
  readonly timeLimitSeconds: number
}

/**
 * Decodes a dataset in a child.
 *
 * @param samples the first so many images; undefined: all
 * @throws UsageError for data that cannot be read, EvaluationError when the child dies or contradicts itself
 */
export async function loadDataset(
  raw: RawData,
  options: DataOptions,
  samples: number | undefined,
  effects: AskEffects,
): Promise<Dataset> {
  const doing = `decoding ${raw.name}`
  const [dataset] = await withChildren(1, { timeLimitSeconds: effects.timeLimitSeconds }, effects, (child) => {
    child.send({ type: 'decode', raw, options, samples })
    return receiveDataset(answers(child, doing), samples, doing)
  })
  const problem = badValues(dataset)
  if (problem !== undefined) throw impossibleReply(problem, doing)
  return dataset
}

/** Pixels come in pieces, each put in its place at once. */
async function receiveDataset(
  replies: AsyncGenerator<Answer, never>,
  samples: number | undefined,
  doing: string,
): Promise<Dataset> {
  const { value: first } = await replies.next()
  if (first.type !== 'decoded') throw impossibleReply(`${first.type} instead of decoded`, doing)
  const { dataset } = first
  const length = elements(dataset)
  const problem = badHeader(dataset, length, samples)
  if (problem !== undefined) throw impossibleReply(problem, doing)
  return { ...dataset, pixels: await receivePixels(replies, length, doing) }
}

async function receivePixels(
  replies: AsyncGenerator<Answer, never>,
  length: number,
  doing: string,
): Promise<Float32Array> {
  const pixels = new Float32Array(length)
  for (let received = 0; received < length;) {
    const { value: piece } = await replies.next()
    if (piece.type !== 'pixels') throw impossibleReply(`${piece.type} instead of pixels`, doing)
    const { start, pixels: next } = piece
    if (start !== received || next.length === 0 || next.length > length - received)
      throw impossibleReply(`${next.length} pixels from ${start} on, after ${received} of ${length}`, doing)
    pixels.set(next, start)
    received += next.length
  }
  return pixels
}

/**
 * Reads saved adversarial examples in a child.
 *
 * @param name of the archive, for messages
 * @throws UsageError for another archive, EvaluationError when the child dies or contradicts itself
 */
export async function loadWitnesses(bytes: Uint8Array, name: string, effects: AskEffects): Promise<StoredWitnesses> {
  const doing = `reading ${name}`
  const [witnesses] = await withChildren(1, { timeLimitSeconds: effects.timeLimitSeconds }, effects, async (child) => {
    child.send({ type: 'unpack', name, bytes })
    const replies = answers(child, doing)
    const { value: first } = await replies.next()
    if (first.type !== 'unpacked') throw impossibleReply(`${first.type} instead of unpacked`, doing)
    const { shape, indices, labels } = first
    const length = elements({ samples: indices.length, shape })
    if (labels.length !== indices.length || length > MAXIMUM_PIXELS)
      throw impossibleReply(`${labels.length} labels and ${length} pixels for ${indices.length} rows`, doing)
    return { shape, indices, labels, pixels: await receivePixels(replies, length, doing) }
  })
  return witnesses
}

/** What a child finds in a model, without running it. */
export async function inspectModel(file: ModelFile, effects: AskEffects): Promise<Inspection> {
  const model = await completeModel(file, effects)
  const { inspection } = await ask({ type: 'inspect', model }, 'inspected', `inspecting ${model.name}`, effects)
  return inspection
}

/** The bytes of an ONNX model that computes logits, loss and gradient of this one. */
export async function gradientModel(file: ModelFile, effects: AskEffects): Promise<Uint8Array> {
  const model = await completeModel(file, effects)
  const doing = `making the gradient of ${model.name}`
  const { bytes } = await ask({ type: 'gradient', model }, 'differentiated', doing, effects)
  return bytes
}

/**
 * A model with all the files it keeps numbers in. A child says which, for only it may parse the model; they are read here,
 * for it has no files.
 *
 * @throws UsageError for a file that is not there or not inside the model's folder
 */
export async function completeModel(file: ModelFile, effects: AskEffects): Promise<ModelBytes> {
  const { name, bytes, external, readBeside } = file
  const model = { name, bytes, external }
  if (readBeside === undefined || !mayNameFiles(model)) return model
  const { locations } = await ask({ type: 'locate', model }, 'needs', `looking for the weights of ${name}`, effects)
  const complete = { ...model, external: { ...external, ...(await readBeside(locations)) } }
  if (modelSize(complete) > MAXIMUM_BYTES)
    throw new UsageError(`${name}: has over 2 GiB with its external data; give a smaller model`)
  return complete
}

/** One child, one question, one answer. */
async function ask<Type extends Answer['type']>(
  request: Request,
  type: Type,
  doing: string,
  effects: AskEffects,
): Promise<Extract<Answer, { type: Type }>> {
  const [answer] = await withChildren(1, { timeLimitSeconds: effects.timeLimitSeconds }, effects, async (child) => {
    child.send(request)
    const { value } = await answers(child, doing).next()
    return value
  })
  if (!isOf(answer, type)) throw impossibleReply(`${answer.type} instead of ${type}`, doing)
  return answer
}

function isOf<Type extends Answer['type']>(answer: Answer, type: Type): answer is Extract<Answer, { type: Type }> {
  return answer.type === type
}

function elements({ samples, shape }: Pick<Dataset, 'samples' | 'shape'>): number {
  return shape.reduce((product, size) => product * size, samples)
}

function badHeader(dataset: Omit<Dataset, 'pixels'>, length: number, samples: number | undefined): string | undefined {
  if (samples !== undefined && dataset.samples !== samples) return `${dataset.samples} images instead of ${samples}`
  if (dataset.labels.length !== dataset.samples) return `${dataset.labels.length} labels for ${dataset.samples} images`
  if (length > MAXIMUM_PIXELS) return `${length} pixels are more than were to be decoded`
  return undefined
}

function badValues({ pixels, labels, range }: Dataset): string | undefined {
  if (!labels.every((label) => label >= 0)) return 'a label below 0'
  if (!pixels.every((pixel) => pixel >= range[0] && pixel <= range[1])) return 'a pixel outside the range of the data'
  return undefined
}
