import { expect, test } from '@jest/globals'
import { create } from '@bufbuild/protobuf'
import { AttributeProtoSchema } from 'onnx-buf'
import { UsageError } from '../../src/errors.js'
import {
  describe as describeNode,
  floatAttribute,
  floatsAttribute,
  intAttribute,
  intsAttribute,
  makeNode,
  stringAttribute,
  tensorAttribute,
} from '../../src/onnx/attributes.js'
import { vector } from './support.js'

const node = makeNode('Op', ['x', '', 'z', ''], ['y'], {
  one: 3,
  whole: { float: 2 },
  many: [1, -1],
  none: [],
  weights: { floats: [1, 2.5] },
  text: 'SAME_UPPER',
  value: vector(1, 2),
  absent: undefined,
})

test('attributes come back as they went in: a number is an INT, { float } a FLOAT', () => {
  expect(intAttribute(node, 'one', 0)).toBe(3)
  expect(floatAttribute(node, 'whole', 0)).toBe(2)
  expect(intsAttribute(node, 'many')).toEqual([1, -1])
  expect(intsAttribute(node, 'none')).toEqual([])
  expect(floatsAttribute(node, 'weights')).toEqual([1, 2.5])
  expect(stringAttribute(node, 'text', 'NOTSET')).toBe('SAME_UPPER')
  expect(tensorAttribute(node, 'value')).toEqual(vector(1, 2))
})

test('what is left out is the fallback', () => {
  expect(node.attributes.has('absent')).toBe(false)
  expect(intAttribute(node, 'absent', 7)).toBe(7)
  expect(intAttribute(node, 'absent')).toBeUndefined()
  expect(tensorAttribute(node, 'absent')).toBeUndefined()
})

test('optional inputs at the end are dropped, those in between stay', () => {
  expect(node.inputs).toEqual(['x', '', 'z'])
})

test('an attribute of the wrong type is refused, naming node and attribute', () => {
  expect(() => intAttribute(node, 'text', 0)).toThrow(UsageError)
  expect(() => intAttribute(node, 'text', 0)).toThrow('node "y" (Op): attribute "text" is STRING where INT belongs')
})

test('an attribute whose type was left out is read all the same', () => {
  const old = { ...node, attributes: new Map([['axis', create(AttributeProtoSchema, { name: 'axis', i: 2n })]]) }
  expect(intAttribute(old, 'axis', 1)).toBe(2)
})

test('messages call a node by its name, its output, its domain', () => {
  expect(describeNode(makeNode('Gelu', ['x'], ['y'], {}, 'act', 'com.microsoft'))).toBe(
    'node "act" (com.microsoft.Gelu)',
  )
  expect(describeNode(makeNode('Relu', ['x'], ['y']))).toBe('node "y" (Relu)')
})
