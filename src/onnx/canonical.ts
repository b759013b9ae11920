import { GraphProtoSchema } from 'onnx-buf'
import type { FunctionProto, GraphProto } from 'onnx-buf'
import { UsageError } from '../errors.js'
import { describe } from './attributes.js'
import { dropPassThroughs, prune } from './canonical/cleanup.js'
import { constantValue } from './canonical/constantValue.js'
import { openWorkshop } from './canonical/context.js'
import type { Workshop } from './canonical/context.js'
import { functionKey, functionTable, instantiate } from './canonical/functions.js'
import { widenNibbles } from './canonical/nibbles.js'
import { joinSigns } from './canonical/signs.js'
import { upgradeNode } from './canonical/table.js'
import { readNode, writeNode } from './codec.js'
import { CANONICAL_OPSET } from './graph.js'
import type { Graph, Node } from './graph.js'
import { changed } from './proto.js'
import { bodies, mapBodies } from './subgraphs.js'

const OLDEST_OPSET = 7
/** Opset 24 came with version 11 of the format, but uses nothing that 10 lacks, and onnxruntime 1.30 reads both. */
const CANONICAL_IR = 10
/** Function calls within function calls. Real exports nest three or four deep. */
const MAX_CALL_DEPTH = 32
/** Nodes all calls together may give: functions that call each other twice double with every level. */
const MAX_INLINED_NODES = 200_000

/**
 * Rewrites a model to one opset, {@link CANONICAL_OPSET}: operators in their newest form, Constant nodes as constants,
 * model-local functions inlined, Identity and inference-mode Dropout gone, nodes nobody needs removed. Inputs and
 * outputs keep their names. Running it gives what running the original gives: so the body of a function is read in the
 * model's opset, as onnxruntime reads it, whatever opset the function says it was written for.
 *
 * @throws UsageError for an opset outside 7…24, functions that call themselves or too many of them, or a form of an
 *   operator that has no equivalent.
 */
export function canonicalise(graph: Graph): Graph {
  const opset = graph.opsets.get('') ?? (graph.nodes.some((node) => node.domain === '') ? 1 : CANONICAL_OPSET)
  checkOpset(opset)
  const workshop = openWorkshop(graph)
  const modernise = moderniser(graph, workshop, opset)
  const rewritten: Graph = {
    ...graph,
    nodes: graph.nodes.flatMap((node) => modernise(node, { calls: [], inBody: false })),
    constants: workshop.constants,
    functions: undefined,
    irVersion: Math.max(graph.irVersion, CANONICAL_IR),
  }
  const tidy = prune(dropPassThroughs(joinSigns(widenNibbles(rewritten, workshop.context.fresh))))
  return { ...tidy, opsets: opsetsInUse(tidy, graph) }
}

interface Place {
  /** Keys of the functions whose bodies it stands in, outermost first. */
  readonly calls: readonly string[]
  /** In a body of If, Loop or Scan, whose outputs must be made inside: constants stay nodes there. */
  readonly inBody: boolean
}

type Modernise = (node: Node, place: Place) => readonly Node[]

/** Inlines and upgrades a node, and what is in its bodies. */
function moderniser(graph: Graph, workshop: Workshop, opset: number): Modernise {
  const { context, facts } = workshop
  const findFunction = functionTable(graph.functions ?? [])
  let inlined = 0
  const inline = (called: FunctionProto, node: Node, place: Place): readonly Node[] => {
    const calls = enter(called, place.calls)
    inlined += 1 + called.node.length
    if (inlined > MAX_INLINED_NODES)
      throw new UsageError(
        `the functions of the model give more than ${MAX_INLINED_NODES} nodes when inlined; export it without functions`,
      )
    return instantiate(called, node, context.fresh).flatMap((inner) => modernise(inner, { ...place, calls }))
  }
  const modernise: Modernise = (node, place) => {
    const called = findFunction(node, place.calls.length > 0)
    if (called) return inline(called, node, place)
    if (!place.inBody && hoist(node, workshop)) return []
    facts.learn(node)
    const source = { name: describe(node), external: {} }
    const attributes = mapBodies(node.attributes, (body) =>
      changed(GraphProtoSchema, body, {
        node: body.node.flatMap((inner) =>
          modernise(readNode(inner, source), { ...place, inBody: true }).map(writeNode),
        ),
      }),
    )
    return upgradeNode({ ...node, attributes }, opset, context)
  }
  return modernise
}

function enter({ domain, name, overload }: FunctionProto, calls: readonly string[]): readonly string[] {
  const key = functionKey(domain, name, overload)
  if (calls.includes(key)) {
    const called = [`${domain}.${name}`, overload].filter(Boolean).join(':')
    throw new UsageError(`the model's function "${called}" calls itself; export the model without functions`)
  }
  if (calls.length >= MAX_CALL_DEPTH)
    throw new UsageError(
      `the model's functions are nested more than ${MAX_CALL_DEPTH} deep; export it without functions`,
    )
  return [...calls, key]
}

/** Takes a Constant node out of the graph and keeps its value. */
function hoist(node: Node, { constants }: Workshop): boolean {
  if (node.op !== 'Constant' || node.domain !== '') return false
  const value = constantValue(node)
  if (value === undefined) throw new UsageError(`${describe(node)} has no value; export the model again`)
  constants.set(node.outputs[0], value)
  return true
}

function checkOpset(opset: number): void {
  if (opset < OLDEST_OPSET)
    throw new UsageError(
      `the model is written for opset ${opset}, which is too old; re-export it with opset 13 or newer`,
    )
  if (opset > CANONICAL_OPSET)
    throw new UsageError(
      `the model is written for opset ${opset}; opsets ${OLDEST_OPSET} to ${CANONICAL_OPSET} are supported, re-export it with one of them`,
    )
}

function opsetsInUse(tidy: Graph, original: Graph): ReadonlyMap<string, number> {
  const used = new Set(tidy.nodes.flatMap(domainsOf))
  const imported = (original.functions ?? []).flatMap((one) =>
    one.opsetImport.map(({ domain, version }): [string, number] => [domain, Number(version)]),
  )
  const others = [...imported, ...original.opsets].filter(([domain]) => domain !== '' && used.has(domain))
  return new Map([['', CANONICAL_OPSET], ...others])
}

function domainsOf(node: Node): readonly string[] {
  const within = (body: GraphProto): readonly string[] =>
    body.node.flatMap((inner) => [inner.domain, ...bodies(inner.attribute).flatMap(within)])
  return [node.domain, ...bodies(node.attributes.values()).flatMap(within)]
}
