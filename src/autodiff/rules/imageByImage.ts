import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, TypeProto_TensorSchema, TypeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import type { ValueInfoProto } from 'onnx-buf'
import { writeNode } from '../../onnx/codec.js'
import { dataType } from '../../onnx/tensor.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/**
 * Numbers in one image from which on a Scan over the images pays: with 64 × 768 the gradients of Gelu and LayerNormalization
 * take half to two thirds of the time, with 64 × 192 0.7 to 0.9, with 16 × 192 1.1 to 1.4 (`node bench/alternatives.mjs scans`).
 */
const WORTH_A_SCAN = 8192

/**
 * A chain of cheap passes, one image after the other: what one pass writes is still in the cache when the next reads it, and
 * nothing in between takes the room of a batch. The numbers are the same to the bit.
 *
 * @param values [N, …] in the type of `like`, of which `write` gets one image each, […]; constants it may read as they are.
 * @param like an observed value: where its images are small, or not told apart, `write` gets whole batches.
 * @param write adds the chain for what it is given and returns the name of its result.
 * @returns [N, …], the results, in the shape of `like`.
 */
export function imageByImage(
  values: readonly string[],
  like: string,
  b: GradientBuilder,
  write: (values: readonly string[]) => string,
): string {
  const { type, dims, batchAxis = 0 } = b.observed(like)
  const size = dims.slice(1).reduce((product, length) => product * length, 1)
  if (type !== 'float32' || batchAxis !== 0 || dims.length < 2 || size < WORTH_A_SCAN) return write(values)
  const images = values.map(() => b.name('image'))
  const before = b.nodes.length
  const result = write(images)
  const nodes = b.nodes.splice(before)
  const declared = (name: string, sizes?: readonly number[]): ValueInfoProto => {
    const dim = sizes?.map((length) => ({ value: { case: 'dimValue' as const, value: BigInt(length) } }))
    const value = create(TypeProto_TensorSchema, { elemType: dataType(type), shape: dim && { dim } })
    return create(ValueInfoProtoSchema, {
      name,
      type: create(TypeProtoSchema, { value: { case: 'tensorType', value } }),
    })
  }
  const body = create(GraphProtoSchema, {
    name: b.name('body'),
    node: nodes.map(writeNode),
    input: images.map((name) => declared(name)),
    // onnxruntime refuses to allocate what it cannot infer, as with a free batch.
    output: [declared(result, dims.slice(1))],
  })
  return b.add('Scan', values, { body, num_scan_inputs: values.length })
}
