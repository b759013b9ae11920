import { describe, expect, test } from '@jest/globals'
import { UsageError } from '../../src/errors.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import type { Tensor } from '../../src/onnx/graph.js'
import { assemble, floats } from './support.js'

describe('what one protobuf message cannot hold is refused, not written broken', () => {
  // The same 64 MiB again and again: nothing this large need be in memory.
  const data = new Uint8Array(2 ** 26)
  const blocks = (bytes: number): ReadonlyMap<string, Tensor> => {
    const lengths = Array.from({ length: Math.ceil(bytes / data.length) }, (_, at) =>
      Math.min(data.length, bytes - at * data.length),
    )
    const block = (length: number): Tensor => ({ type: 'uint8', dims: [length], data: data.subarray(0, length) })
    return new Map(lengths.map((length, at) => [`w${at}`, block(length)]))
  }

  test.each([
    ['weights of 2 GiB', 2 ** 31],
    ['weights that fill it, so that nothing else has room', 2 ** 31 - 1],
    ['weights of more bytes than a field can count', 2 ** 32 + 1],
  ])('%s', (_, bytes) => {
    const nodes = [makeNode('Relu', ['x'], ['y'])]
    const graph = assemble({ opset: 13, inputs: { x: floats(1) }, nodes, outputs: ['y'] })
    const encode = () => encodeModel({ ...graph, constants: blocks(bytes) })
    expect(encode).toThrow(UsageError)
    expect(encode).toThrow(/^the model takes at least \d+ bytes; one ONNX file holds at most 2 GiB$/)
  })
})
