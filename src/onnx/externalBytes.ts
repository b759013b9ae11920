import type { TensorProto } from 'onnx-buf'
import { UsageError } from '../errors.js'

/** Where external data is found, and what to call the file in messages. */
export interface TensorSource {
  readonly name: string
  readonly external: Readonly<Record<string, Uint8Array>>
}

/**
 * The numbers of a tensor that keeps them in another file.
 *
 * @param expected how many bytes, where the model does not say
 * @throws UsageError when the file is not there, or has no such bytes
 */
export function externalBytes(proto: TensorProto, source: TensorSource, expected: number): Uint8Array {
  const entries = new Map(proto.externalData.map(({ key, value }) => [key, value]))
  const location = entries.get('location') ?? ''
  const where = `${source.name}: tensor "${proto.name}" lies in the external file "${location}"`
  const file = Object.hasOwn(source.external, location) ? source.external[location] : undefined
  if (file === undefined)
    throw new UsageError(`${where}, which was not found beside the model; add it, or save the model as one file`)
  const offset = Number(entries.get('offset') ?? 0)
  const length = Number(entries.get('length') ?? expected)
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0
  if (!inside || offset + length > file.byteLength)
    throw new UsageError(
      `${where} at bytes ${offset} to ${offset + length}, but that file has ${file.byteLength} bytes; export both again`,
    )
  return file.subarray(offset, offset + length)
}
