import { create } from '@bufbuild/protobuf'
import { GraphProtoSchema, TypeProtoSchema, ValueInfoProtoSchema } from 'onnx-buf'
import { makeNode } from '../../.build/onnx/attributes.js'
import { writeNode } from '../../.build/onnx/codec.js'
import { compare, filled, floats, ints } from './compare.mjs'

const float = (name) =>
  create(ValueInfoProtoSchema, {
    name,
    type: create(TypeProtoSchema, { value: { case: 'tensorType', value: { elemType: 1 } } }),
  })

/** The same nodes for whole batches, and for one image after the other. */
function bothWays(title, inputs, constants, nodesOf) {
  const names = Object.keys(inputs)
  const images = names.map((name) => `${name}1`)
  const body = create(GraphProtoSchema, {
    name: 'body',
    node: nodesOf(images, 'y1').map(writeNode),
    input: images.map(float),
    output: [float('y1')],
  })
  return compare(title, inputs, {
    'image by image': [[makeNode('Scan', names, ['y'], { body, num_scan_inputs: names.length })], constants],
    'whole batches': [nodesOf(names, 'y'), constants],
  })
}

const half = { alpha: { float: 0.5 }, beta: { float: 0.5 } }

function gelu(dims) {
  const constants = { root: filled([], Math.SQRT1_2), k: filled([], -0.5 * Math.log(Math.PI)) }
  return bothWays(`Gelu, [${dims}]`, { x: floats(dims), g: floats(dims) }, constants, ([x, g], y) => [
    makeNode('Mul', [x, 'root'], ['s']),
    makeNode('Erf', ['s'], ['e']),
    makeNode('HardSigmoid', ['e'], ['c'], half),
    makeNode('Mul', ['s', 's'], ['q']),
    makeNode('Sub', ['k', 'q'], ['n']),
    makeNode('Exp', ['n'], ['d']),
    makeNode('Mul', ['s', 'd'], ['t']),
    makeNode('Add', ['c', 't'], ['slope']),
    makeNode('Mul', [g, 'slope'], [y]),
  ])
}

function layerNormalization(dims) {
  const single = [...dims.slice(0, -1), 1]
  const inputs = { x: floats(dims), g: floats(dims), m: floats(single), a: filled(single, 1.5) }
  const constants = { scale: filled([dims.at(-1)], 1.1), last: ints([-1]) }
  const mean = (from, to) => makeNode('ReduceMean', [from, 'last'], [to], { keepdims: 1 })
  return bothWays(`LayerNormalization, [${dims}]`, inputs, constants, ([x, g, m, a], y) => [
    makeNode('Mul', [g, 'scale'], ['h']),
    mean('h', 'average'),
    makeNode('Mul', ['h', x], ['hx']),
    mean('hx', 'product'),
    makeNode('Mul', [m, 'average'], ['ma']),
    makeNode('Sub', ['product', 'ma'], ['covariance']),
    makeNode('Mul', [a, a], ['a2']),
    makeNode('Mul', [a, 'a2'], ['a3']),
    makeNode('Mul', ['covariance', 'a3'], ['along']),
    makeNode('Mul', ['along', m], ['o1']),
    makeNode('Mul', [a, 'average'], ['o2']),
    makeNode('Sub', ['o1', 'o2'], ['offset']),
    makeNode('Mul', ['h', a], ['ha']),
    makeNode('Mul', [x, 'along'], ['xa']),
    makeNode('Sub', ['ha', 'xa'], ['difference']),
    makeNode('Add', ['difference', 'offset'], [y]),
  ])
}

export const scanWays = async () => [
  ...(await gelu([64, 64, 768])),
  ...(await gelu([64, 64, 192])),
  ...(await gelu([64, 16, 192])),
  ...(await layerNormalization([64, 64, 768])),
  ...(await layerNormalization([64, 64, 192])),
  ...(await layerNormalization([64, 16, 192])),
]
