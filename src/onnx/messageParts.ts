import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { UsageError } from '../errors.js'
import { MAX_BYTES } from './tensor.js'

/** Bytes of a protobuf message one behind the other, not yet copied together: fields may stand in any order. */
export type MessageParts = readonly Uint8Array[]

/**
 * A field that holds a message or bytes: its tag and length, and what it holds as it is.
 *
 * @throws UsageError when that is more than a message can hold
 */
export function field({ number }: { readonly number: number }, content: MessageParts): MessageParts {
  const head = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(byteCount(content)).finish()
  return [head, ...content]
}

/**
 * The whole message, each byte copied once.
 *
 * @throws UsageError when it is more than a message can hold, before there is room for it
 */
export function joined(parts: MessageParts): Uint8Array {
  const whole = new Uint8Array(byteCount(parts))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.byteLength
  }
  return whole
}

function byteCount(parts: MessageParts): number {
  const bytes = parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
  if (bytes > MAX_BYTES)
    throw new UsageError(`the model takes at least ${bytes} bytes; one ONNX file holds at most 2 GiB`)
  return bytes
}
