import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } from 'onnx-buf'

/** A model without its weights, and the files that hold them. */
export interface Split {
  readonly model: Uint8Array
  /** In the order of the locations. */
  readonly parts: readonly Uint8Array[]
}

/**
 * As exporters of large models do it: every tensor in one of a few files, behind one another.
 *
 * @param locations what the model calls the files, first to last in turns.
 */
export function splitWeights(bytes: Uint8Array, locations: readonly string[]): Split {
  const parts: Uint8Array[][] = locations.map(() => [])
  const proto = fromBinary(ModelProtoSchema, bytes)
  proto.graph?.initializer.forEach((tensor, at) => {
    const place = at % locations.length
    const offset = parts[place].reduce((sum, { length }) => sum + length, 0)
    const entries = { location: locations[place], offset, length: tensor.rawData.length }
    parts[place].push(tensor.rawData)
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    )
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL
    tensor.rawData = new Uint8Array()
  })
  return { model: toBinary(ModelProtoSchema, proto), parts: parts.map((part) => Buffer.concat(part)) }
}
