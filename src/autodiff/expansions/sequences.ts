import { UsageError } from '../../errors.js'
import { describe, intAttribute } from '../../onnx/attributes.js'
import type { Node } from '../../onnx/graph.js'
import type { Expansion } from '../expansion.js'
import { SEQUENCE_MAKERS } from '../../onnx/sequences.js'
import type { GradientBuilder } from '../gradientBuilder.js'
import { bodyOf, inliner } from './body.js'

/** Operators that read a sequence, by what is known to be in it; those that make one are then read by nobody. */
export const sequences: Readonly<Record<string, Expansion>> = {
  SequenceAt: reading((items, node, b) => at(items, integer(node, 1, b), node)),

  SequenceLength: reading((items, _node, b) => b.constant('int64', [], BigInt64Array.of(BigInt(items.length)))),

  ConcatFromSequence: reading((items, node, b) => {
    const axis = intAttribute(node, 'axis', 0)
    const grows = intAttribute(node, 'new_axis', 0) === 0
    const rows = grows ? items : items.map((item) => b.add('Unsqueeze', [item, b.ints([axis])]))
    return rows.length === 1 ? rows[0] : b.add('Concat', rows, { axis })
  }),

  /** Its body once for each item; what is no sequence goes into each. */
  SequenceMap: (node, b) => {
    const lists = node.inputs.map((name, place) => (place === 0 || isSequence(name, b) ? listOf(name, node, b) : name))
    const [first] = lists
    if (first === undefined || lists.includes(undefined)) return later(node, b)
    const step = inliner(bodyOf(node, 'body'), b)
    const rows = Array.from(first, (_, at) =>
      step(lists.map((list = '') => (typeof list === 'string' ? list : list[at]))),
    )
    return node.outputs.map((_, place) =>
      b.add(
        'SequenceConstruct',
        rows.map((row) => row[place]),
      ),
    )
  },

  /** A Split with names for its parts. */
  SplitToSequence: (node, b) => {
    const [x, split] = node.inputs
    const axis = intAttribute(node, 'axis', 0)
    const { dims } = b.observed(x)
    const size = dims.at(axis) ?? 0
    const sizes = split ? sizesOf(node, split, size, b) : Array.from({ length: size }, () => 1)
    const parts = sizes.length === 1 ? [x] : b.addMany('Split', [x, b.ints(sizes)], sizes.length, { axis })
    const dropped = !split && intAttribute(node, 'keepdims', 1) === 0
    const items = dropped ? parts.map((part) => b.add('Squeeze', [part, b.ints([axis])])) : parts
    return [b.add('SequenceConstruct', items)]
  },
}

/** A reader of a sequence that waits, as it is, for one that a body of a Loop has split just now: no shape in it was seen. */
function reading(read: (items: readonly string[], node: Node, b: GradientBuilder) => string): Expansion {
  return (node, b) => {
    const items = listOf(node.inputs[0], node, b)
    if (items !== undefined) return [read(items, node, b)]
    return later(node, b)
  }
}

function later(node: Node, b: GradientBuilder): readonly string[] {
  const outputs = node.outputs.map(() => b.name(node.op))
  b.nodes.push({ ...node, outputs })
  return outputs
}

function isSequence(name: string, b: GradientBuilder): boolean {
  const producer = b.nodes.find(({ outputs }) => outputs.includes(name))
  return (
    producer !== undefined &&
    (SEQUENCE_MAKERS.has(producer.op) || (producer.op === 'Identity' && isSequence(producer.inputs[0], b)))
  )
}

function sizesOf(node: Node, split: string, size: number, b: GradientBuilder): readonly number[] {
  const given = b.integersOf(split)
  if (given === undefined) throw computed(node)
  if (b.dims(split).length > 0) return given
  const [part] = given
  return Array.from({ length: Math.ceil(size / part) }, (_, place) => Math.min(part, size - place * part))
}

function integer(node: Node, place: number, b: GradientBuilder): number {
  const [value] = b.integersOf(node.inputs[place]) ?? []
  if (value === undefined) throw computed(node)
  return value
}

function computed(node: Node): UsageError {
  return new UsageError(
    `${describe(node)} addresses a sequence by what is computed from the image, which has no gradient rule; export the model with plain tensors`,
  )
}

function at(list: readonly string[], place: number, node: Node): string {
  const item = list.at(place)
  if (item === undefined)
    throw new UsageError(
      `${describe(node)} reads item ${place} of a sequence of ${list.length}; export the model again`,
    )
  return item
}

/** The tensors in a sequence, followed back to where it was made; undefined where it is still to be split. */
function listOf(name: string, reader: Node, b: GradientBuilder): readonly string[] | undefined {
  const producer = b.nodes.find(({ outputs }) => outputs.includes(name))
  const before = (): string[] | undefined => listOf(producer?.inputs[0] ?? '', reader, b)?.slice()
  switch (producer?.op) {
    case 'SequenceConstruct':
      return producer.inputs
    case 'SequenceEmpty':
      return []
    case 'SequenceMap':
    case 'SplitToSequence':
      return undefined
    case 'Identity':
      return before()
    case 'SequenceInsert': {
      const list = before()
      list?.splice(producer.inputs[2] ? integer(producer, 2, b) : list.length, 0, producer.inputs[1])
      return list
    }
    case 'SequenceErase': {
      const list = before()
      list?.splice(producer.inputs[1] ? integer(producer, 1, b) : -1, 1)
      return list
    }
    default:
      throw new UsageError(
        `${describe(reader)} reads a sequence made by ${producer ? describe(producer) : 'the input'}, which has no gradient rule; export the model with plain tensors`,
      )
  }
}
