import type { GraphProto, NodeProto, SparseTensorProto, TensorProto } from 'onnx-buf'
import { TensorProto_DataLocation } from 'onnx-buf'
import { parseModel } from './codec.js'

/**
 * The files, besides its own, that a model keeps numbers in: as it names them, relative to its folder, each once.
 *
 * @throws UsageError when the bytes are no ONNX model.
 */
export function externalLocations(bytes: Uint8Array, name: string): readonly string[] {
  const model = parseModel(bytes, name)
  const graphs = model.graph ? [model.graph] : []
  const tensors = [...graphs.flatMap(tensorsOf), ...model.functions.flatMap(({ node }) => node.flatMap(attributesOf))]
  return [...new Set(tensors.flatMap(locationOf))].toSorted()
}

function tensorsOf({ initializer, sparseInitializer, node }: GraphProto): readonly TensorProto[] {
  return [...initializer, ...sparseInitializer.flatMap(partsOf), ...node.flatMap(attributesOf)]
}

function attributesOf({ attribute }: NodeProto): readonly TensorProto[] {
  return attribute.flatMap(({ t, tensors, sparseTensor, sparseTensors, g, graphs }) => [
    ...[...(t ? [t] : []), ...tensors],
    ...[...(sparseTensor ? [sparseTensor] : []), ...sparseTensors].flatMap(partsOf),
    ...[...(g ? [g] : []), ...graphs].flatMap(tensorsOf),
  ])
}

function partsOf({ values, indices }: SparseTensorProto): readonly TensorProto[] {
  return [values, indices].filter((part) => part !== undefined)
}

function locationOf({ dataLocation, externalData }: TensorProto): readonly string[] {
  if (dataLocation !== TensorProto_DataLocation.EXTERNAL) return []
  return externalData.flatMap(({ key, value }) => (key === 'location' && value !== '' ? [value] : []))
}
