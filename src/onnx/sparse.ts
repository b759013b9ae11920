import type { SparseTensorProto } from 'onnx-buf'
import { UsageError } from '../errors.js'
import type { Tensor } from './graph.js'
import { elementCount, emptyData, isNibble, isStrings, MAX_BYTES, readDims, readTensor } from './tensor.js'
import type { TensorSource } from './externalBytes.js'

/**
 * Fills in the zeros of a sparse initializer (values [NNZ]; indices int64 [NNZ], linear, or [NNZ, rank]).
 *
 * @throws UsageError when an index lies outside the shape, or the dense tensor would exceed 2 GiB.
 */
export function densify(sparse: SparseTensorProto, source: TensorSource): Tensor {
  if (!sparse.values || !sparse.indices)
    throw new UsageError(`${source.name}: a sparse initializer has no values or no indices; export the model again`)
  const where = `${source.name}: sparse initializer "${sparse.values.name}"`
  const values = readTensor(sparse.values, source)
  const indices = readTensor(sparse.indices, source)
  const dims = readDims(sparse.dims, where)
  const broken = new UsageError(`${where} is inconsistent; export the model again`)
  const { data } = values
  if (isStrings(data) || values.type === 'string' || isNibble(values.type) || !(indices.data instanceof BigInt64Array))
    throw broken
  const count = elementCount(dims)
  const bytes = count * data.BYTES_PER_ELEMENT
  if (bytes > MAX_BYTES) throw new UsageError(`${where} would take ${bytes} bytes when dense; the limit is 2 GiB`)
  const rank = indices.dims.length === 2 ? (indices.dims[1] ?? 1) : undefined
  if (indices.data.length !== data.length * (rank ?? 1) || (rank !== undefined && rank !== dims.length)) throw broken
  const dense = emptyData(values.type, count)
  for (let entry = 0; entry < data.length; entry++) {
    let place = 0
    if (rank === undefined) place = Number(indices.data[entry])
    else dims.forEach((dim, axis) => (place = place * dim + Number(indices.data[entry * rank + axis])))
    if (place < 0 || place >= count) throw broken
    dense[place] = data[entry] as never
  }
  return { type: values.type, dims, data: dense }
}
