import { create } from '@bufbuild/protobuf'
import { expect, test } from '@jest/globals'
import { GraphProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import type { GraphProto } from 'onnx-buf'
import { makeNode } from '../../src/onnx/attributes.js'
import { writeNode } from '../../src/onnx/codec.js'
import type { Node, RunModel, Tensor } from '../../src/onnx/graph.js'
import { observer } from '../../src/onnx/observe.js'
import { runModel } from '../support/onnxruntime.js'
import { assemble, vector } from './support.js'

const branch = (node: Node): GraphProto =>
  create(GraphProtoSchema, {
    name: 'branch',
    node: [writeNode(node)],
    output: node.outputs.map((name) => create(ValueInfoProtoSchema, { name })),
  })
const either = (inside: Node, other: Node, output: string): Node =>
  makeNode('If', ['yes'], [output], { then_branch: branch(inside), else_branch: branch(other) })

const scalar = (type: 'bool' | 'float32', value: number): Tensor =>
  type === 'bool' ? { type, dims: [], data: Uint8Array.of(value) } : { type, dims: [], data: Float32Array.of(value) }

const graph = assemble({
  opset: 21,
  inputs: { x: vector(1, 2) },
  constants: {
    steps: { type: 'int8', dims: [2], data: Int8Array.of(4, -6) },
    scale: scalar('float32', 0.5),
    yes: scalar('bool', 1),
  },
  nodes: [
    makeNode('DequantizeLinear', ['steps', 'scale'], ['weights']),
    makeNode('Neg', ['weights'], ['turned']),
    makeNode('Mul', ['x', 'turned'], ['product']),
    makeNode('Shape', ['x'], ['shape']),
    either(makeNode('Neg', ['x'], ['a']), makeNode('Abs', ['x'], ['b']), 'captures'),
    either(makeNode('RandomNormal', [], ['c'], { shape: [8] }), makeNode('Neg', ['turned'], ['d']), 'drawn within'),
    makeNode('RandomNormal', [], ['drawn'], { shape: [8] }),
    makeNode('Neg', ['drawn'], ['of the drawn']),
  ],
  outputs: ['product'],
})

/** What each run was asked for. */
function watched(): { readonly run: RunModel; readonly asked: (readonly string[] | undefined)[] } {
  const asked: (readonly string[] | undefined)[] = []
  return { asked, run: (model, feeds, outputs) => (asked.push(outputs), runModel(model, feeds, outputs)) }
}

test('a second look at a graph makes nothing anew that neither images nor chance reach, and everything else', async () => {
  const { run, asked } = watched()
  const { all } = observer(graph, run)
  const first = await all(new Map([['x', vector(1, 2)]]))
  const second = await all(new Map([['x', vector(3, 5)]]), first)
  const changing = ['product', 'shape', 'captures', 'drawn within', 'drawn', 'of the drawn']
  expect(asked).toEqual([['weights', 'turned', ...changing], changing])
  // (4, −6) · 0.5, negated, times the image.
  expect([...first.keys()].toSorted()).toEqual([...second.keys()].toSorted())
  expect(second.get('turned')?.data).toEqual(Float32Array.of(-2, 3))
  expect(first.get('product')?.data).toEqual(Float32Array.of(-2, 6))
  expect(second.get('product')?.data).toEqual(Float32Array.of(-6, 15))
  expect(second.get('captures')?.data).toEqual(Float32Array.of(-3, -5))
  expect(second.get('x')?.data).toEqual(Float32Array.of(3, 5))
})
