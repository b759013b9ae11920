import type { ElementType, Graph, Node, Tensor } from '../graph.js'
import { namesWithin, bodies } from '../subgraphs.js'
import { createFacts } from './facts.js'
import type { Facts } from './facts.js'

/** What an upgrade may use beside its node. */
export interface Context {
  /** Adds a constant to the graph and returns its name, derived from `stem`. Bodies of If and Loop see it, too. */
  readonly constant: (stem: string, tensor: Tensor) => string
  /** A name that occurs nowhere else, derived from `stem`. */
  readonly fresh: (stem: string) => string
  /** The value of a constant; undefined for what is computed. */
  readonly valueOf: (name: string) => Tensor | undefined
  /** Whether a value depends on what is in the graph's inputs, and not only on their shapes. */
  readonly dependsOnInput: (name: string) => boolean
  /** How many images the graph's input is declared to take; undefined where that is free. */
  readonly declaredBatch: number | undefined
  /** Number of dimensions, where it is plain without running the graph. */
  readonly rankOf: (name: string) => number | undefined
  /** The floating type that a value has, as far as it is plain; float32 otherwise. */
  readonly floatTypeOf: (name: string) => ElementType
}

/** A version change of one operator: turns a node as it was before opset `since` into what it is from there on. */
export interface Upgrade {
  readonly since: number
  /** The nodes given back are of opset `since`, and are upgraded further. */
  readonly upgrade: (node: Node, context: Context) => Node | readonly Node[]
}

/** Operator → its version changes, oldest first. */
export type Upgrades = Readonly<Record<string, readonly Upgrade[]>>

/** The changing state of one canonicalisation. */
export interface Workshop {
  readonly context: Context
  readonly constants: Map<string, Tensor>
  readonly facts: Facts
}

/** Starts from the graph's constants and names. */
export function openWorkshop(graph: Graph): Workshop {
  const constants = new Map(graph.constants)
  const facts = createFacts(graph, constants)
  const taken = takenNames(graph)
  const fresh = (stem: string): string => {
    let name = stem
    for (let copy = 1; taken.has(name); copy++) name = `${stem}_${copy}`
    taken.add(name)
    return name
  }
  const context: Context = {
    fresh,
    constant: (stem, tensor) => {
      const name = fresh(stem)
      constants.set(name, tensor)
      return name
    },
    valueOf: (name) => constants.get(name),
    declaredBatch: graph.inputs.flatMap(({ dims }) => dims?.slice(0, 1) ?? []).find((size) => typeof size === 'number'),
    dependsOnInput: facts.dependsOnInput,
    rankOf: facts.rankOf,
    floatTypeOf: facts.floatTypeOf,
  }
  return { context, constants, facts }
}

function takenNames(graph: Graph): Set<string> {
  const nodeNames = graph.nodes.flatMap((node) => [
    ...node.inputs,
    ...node.outputs,
    ...bodies(node.attributes.values()).flatMap(namesWithin),
  ])
  const ends = [...graph.inputs, ...graph.outputs].map(({ name }) => name)
  return new Set([...graph.constants.keys(), ...ends, ...nodeNames])
}
