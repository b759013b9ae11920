import { attribute, floatAttribute, intAttribute, intsAttribute, makeNode } from './attributes.js'
import { floats } from './builder.js'
import type { GraphBuilder } from './builder.js'
import { middleOf } from './chance.js'
import type { ElementType, Node, Tensor } from './graph.js'
import { dataType, elementCount, elementType } from './tensor.js'
import { constantNumber } from './training.js'
import type { Scope } from './training.js'

/** What stands in for a value that is drawn. */
export interface StandIn {
  /**
   * Makes a value that no other node of the model reads: by it a stand-in is known in every copy of the body that it is in,
   * whatever names it has there.
   */
  readonly mark: Node
  /**
   * The nodes that draw what one that reads the mark stands for, under its name.
   *
   * @param copy how many copies came before: each draws for itself
   */
  readonly draw: (stand: Node, copy: number) => readonly Node[]
  readonly constants?: ReadonlyMap<string, Tensor>
}

/**
 * Adds what stands in for a node that draws: the middle of what it draws.
 *
 * @param scope where the node's inputs are made
 * @returns undefined where nothing can, and nothing is added: for a Dropout whose ratio is computed
 */
export function addStandIn(node: Node, scope: Scope, b: GraphBuilder): StandIn | undefined {
  const [name] = node.outputs
  switch (node.op) {
    case 'RandomNormalLike':
    case 'RandomUniformLike': {
      const type = elementType(intAttribute(node, 'dtype') ?? 0)
      const level = type === undefined ? b.name('level') : name
      const mark = addLevel(b, level, { like: node.inputs[0], value: middleOf(node), type })
      if (type === undefined) b.addNamed(name, 'CastLike', [level, node.inputs[0]])
      const typed = { ...node, attributes: new Map([...node.attributes, dtype(type ?? 'float32')]) }
      return { mark, draw: ({ inputs, outputs }, copy) => [drawing(typed, inputs.slice(0, 1), outputs, copy)] }
    }
    case 'Bernoulli':
      return addMeanOfBernoulli(node, b)
    case 'Multinomial':
      return addLikeliest(node, b)
    case 'Dropout':
      return addTrainingDropout(node, scope, b)
    case 'RandomNormal':
    case 'RandomUniform': {
      const dims = intsAttribute(node, 'shape', [])
      const type = elementType(intAttribute(node, 'dtype', 1)) ?? 'float32'
      const middle = floats(type, new Float64Array(elementCount(dims)).fill(middleOf(node)))
      const mark = markOf(b.constant(type, dims, middle), b)
      b.addNamed(name, 'Identity', mark.outputs)
      return { mark, draw: ({ outputs }, copy) => [drawing(node, [], outputs, copy)] }
    }
    default:
      return undefined
  }
}

function markOf(constant: string, b: GraphBuilder): Node {
  const mark = b.name('mark')
  return makeNode('Identity', [constant], [mark], {}, mark)
}

function dtype(type: ElementType): readonly [string, ReturnType<typeof attribute.int>] {
  return ['dtype', attribute.int('dtype', dataType(type))]
}

/** Far enough apart for a generator that begins with a multiple of its seed. */
const BETWEEN_SEEDS = 7919

/** Two nodes of one seed draw the same numbers. */
function drawing(node: Node, inputs: readonly string[], outputs: readonly string[], copy: number): Node {
  const seed = floatAttribute(node, 'seed')
  const attributes = new Map(node.attributes)
  if (seed !== undefined) attributes.set('seed', attribute.float('seed', seed + copy * BETWEEN_SEEDS))
  return { ...node, name: outputs[0], inputs, outputs, attributes }
}

/** Draws uniform numbers in place of a node, with the seed that this has. */
function uniformOf(node: Node): Node {
  const seed = [...node.attributes].filter(([name]) => name === 'seed')
  return { ...makeNode('RandomUniformLike', [], []), attributes: new Map([...seed, dtype('float32')]) }
}

/** One number in every place of `like`, so made that no gradient flows. What stands in reads the shape first. */
function addLevel(
  b: GraphBuilder,
  name: string,
  { like, value, type }: { readonly like: string; readonly value: number; readonly type?: ElementType },
): Node {
  const mark = markOf(b.scalar(value, type), b)
  const [level] = mark.outputs
  b.addNamed(name, 'Where', [b.add('IsNaN', [like]), level, level])
  return mark
}

/**
 * 1 − p, of the p that Bernoulli is given (see `chance.ts`), with an Expand to nothing more: its gradient is that of what it
 * expands, whatever is drawn in its place.
 */
function addMeanOfBernoulli(node: Node, b: GraphBuilder): StandIn {
  const [p] = node.inputs
  const [name] = node.outputs
  const to = intAttribute(node, 'dtype')
  const mark = markOf(b.ints([]), b)
  const stand = to === undefined ? name : b.name('mean')
  b.addNamed(stand, 'Expand', [b.add('Sub', [b.add('CastLike', [b.scalar(1), p]), p]), ...mark.outputs])
  if (to !== undefined) b.addNamed(name, 'Cast', [stand], { to })
  const numbers = uniformOf(node)
  return {
    mark,
    draw: ({ inputs: [mean], outputs: [drawn] }, copy) => {
      const [uniform, typed, isLess] = ['uniform', 'typed', 'isLess'].map((stem) => `${drawn}/${stem}`)
      return [
        drawing(numbers, [mean], [uniform], copy),
        makeNode('CastLike', [uniform, mean], [typed]),
        makeNode('Less', [typed, mean], [isLess]),
        makeNode('CastLike', [isLess, mean], [drawn]),
      ]
    },
  }
}

/**
 * The class of the greatest odds, as often as Multinomial draws one. With −ln(−ln u) added to each of the odds, u uniform, it is
 * drawn by them (Gumbel 1954).
 */
function addLikeliest(node: Node, b: GraphBuilder): StandIn {
  const [odds] = node.inputs
  const times = intAttribute(node, 'sample_size', 1)
  const many = b.add('Expand', [b.add('Unsqueeze', [odds, b.ints([1])]), b.ints([1, times, 1])])
  const level = b.name('noise')
  const mark = addLevel(b, level, { like: many, value: 0 })
  const best = b.add('ArgMax', [b.add('Add', [many, b.add('CastLike', [level, many])])], { axis: 2, keepdims: 0 })
  b.addNamed(node.outputs[0], 'Cast', [best], { to: intAttribute(node, 'dtype', dataType('int32')) })
  const numbers = uniformOf(node)
  return {
    mark,
    draw: ({ inputs, outputs: [drawn] }, copy) => {
      const [uniform, log, minus, again] = ['uniform', 'log', 'minus', 'again'].map((stem) => `${drawn}/${stem}`)
      return [
        drawing(numbers, inputs.slice(0, 1), [uniform], copy),
        makeNode('Log', [uniform], [log]),
        makeNode('Neg', [log], [minus]),
        makeNode('Log', [minus], [again]),
        makeNode('Neg', [again], [drawn]),
      ]
    },
  }
}

/**
 * Dropout that trains multiplies by what a draw gives: 0, or 1 / (1 − ratio). Written out, its gradient is that of a product, and
 * its mask is where the factor is not 0.
 */
function addTrainingDropout(node: Node, scope: Scope, b: GraphBuilder): StandIn | undefined {
  const [x, ratioName = ''] = node.inputs
  const [name, mask = ''] = node.outputs
  const ratio = ratioName === '' ? 0.5 : constantNumber(ratioName, scope)
  if (ratio === undefined || !(ratio >= 0 && ratio < 1)) return undefined
  const level = b.name('factor')
  const mark = addLevel(b, level, { like: x, value: 1 })
  b.nodes.push(makeNode('Mul', [x, b.add('CastLike', [level, x])], [name], {}, node.name))
  if (mask !== '') b.addNamed(mask, 'Cast', [level], { to: dataType('bool') })
  const [bound, scale, none] = ['bound', 'scale', 'none'].map((stem) => b.name(stem))
  const numbers = { [bound]: ratio, [scale]: 1 / (1 - ratio), [none]: 0 }
  return {
    mark,
    draw: ({ inputs: [shape], outputs: [factor] }) => {
      const [uniform, isKept] = [`${factor}/uniform`, `${factor}/isKept`]
      return [
        makeNode('RandomUniformLike', [shape], [uniform], { dtype: dataType('float32') }),
        makeNode('GreaterOrEqual', [uniform, bound], [isKept]),
        makeNode('Where', [isKept, scale, none], [factor]),
      ]
    },
    constants: new Map(
      Object.entries(numbers).map(([key, value]) => [
        key,
        { type: 'float32', dims: [], data: Float32Array.of(value) } as const,
      ]),
    ),
  }
}
