import type { GraphProto } from 'onnx-buf'
import { constantValue } from './canonical/constantValue.js'
import type { Graph, Node, Tensor } from './graph.js'
import { readTensor } from './tensor.js'

/** What makes each value of a graph or of one body. */
export interface Scope {
  readonly makers: ReadonlyMap<string, Maker>
  /** Where a body finds what it does not make itself; what stands in there never sees into the body. */
  readonly around?: Scope
}

/** A node, or the number that a constant begins with: undefined for what nobody knows before the graph has run. */
type Maker = Node | (() => number | undefined)

/** To be made once for many nodes. */
export function scopeOf({ nodes, constants }: Pick<Graph, 'nodes' | 'constants'>): Scope {
  const known = [...constants].map(([name, tensor]): [string, Maker] => [name, () => first(tensor)])
  return { makers: each([...known, ...nodes.flatMap(madeBy)]) }
}

/** @param nodes those of the body */
export function scopeOfBody(body: GraphProto, nodes: readonly Node[], around: Scope): Scope {
  const source = { name: body.name, external: {} }
  const unknown = [
    ...body.input.map(({ name }) => name),
    ...body.sparseInitializer.map(({ values }) => values?.name ?? ''),
  ]
  const known = body.initializer.map((proto): [string, Maker] => [
    proto.name,
    once(() => first(readTensor(proto, source))),
  ])
  return { makers: each([...unknown.map(unknowable), ...known, ...nodes.flatMap(madeBy)]), around }
}

/**
 * Whether a Dropout draws: it is told to train, or by what nobody knows before the graph has run, and does not keep everything.
 *
 * @param scope where its inputs are made, of the canonical opset
 */
export function trains({ op, domain, inputs }: Node, scope: Scope): boolean {
  const [, ratio = '', training = ''] = inputs
  if (op !== 'Dropout' || domain !== '' || training === '') return false
  return numberOf(training, scope) !== 0 && (ratio === '' || numberOf(ratio, scope) !== 0)
}

/** What hands the number on that it gets. */
const PASSING: ReadonlySet<string> = new Set(['Cast', 'CastLike', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze'])

/** Nodes behind a constant. Exporters write two or three; a file made to keep us busy as many as it likes. */
const LONGEST_WAY = 16

/** A number that constants make, as exporters do; undefined for everything else. */
function numberOf(name: string, from: Scope): number | undefined {
  let wanted = name
  let scope: Scope | undefined = from
  let nots = 0
  for (let step = 0; step < LONGEST_WAY; step++) {
    scope = scopeOfMaker(wanted, scope)
    const maker: Maker | undefined = scope?.makers.get(wanted)
    if (typeof maker === 'function') return negated(maker(), nots)
    if (maker?.domain !== '') return undefined
    if (maker.op === 'Not') nots += 1
    else if (!PASSING.has(maker.op)) return undefined
    wanted = maker.inputs[0]
  }
  return undefined
}

function scopeOfMaker(name: string, from: Scope | undefined): Scope | undefined {
  let scope = from
  while (scope && !scope.makers.has(name)) scope = scope.around
  return scope
}

/** The number that a constant begins with; undefined for what is computed. */
export function constantNumber(name: string, from: Scope): number | undefined {
  const maker = scopeOfMaker(name, from)?.makers.get(name)
  return typeof maker === 'function' ? maker() : undefined
}

/** Only of 0 and 1 is it known what they are once they have been cast. */
function negated(value: number | undefined, times: number): number | undefined {
  if (times === 0) return value
  return value === 0 || value === 1 ? (value + times) % 2 : undefined
}

/** In a body constants are nodes. */
function madeBy(node: Node): readonly [string, Maker][] {
  const isConstant = node.op === 'Constant' && node.domain === ''
  const maker = isConstant ? once(() => first(constantValue(node))) : node
  return node.outputs.map((output) => [output, maker])
}

/** Of a name that several make nobody knows which is meant. */
function each(made: readonly (readonly [string, Maker])[]): ReadonlyMap<string, Maker> {
  const makers = new Map<string, Maker>()
  for (const [name, maker] of made) makers.set(...(makers.has(name) ? unknowable(name) : ([name, maker] as const)))
  return makers
}

function unknowable(name: string): readonly [string, Maker] {
  return [name, () => undefined]
}

function first(tensor: Tensor | undefined): number | undefined {
  return tensor && Number(tensor.data[0])
}

/** A sparse constant is long in writing out, and many may ask for it. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined
  return () => (made ??= { value: make() }).value
}
