import type { GraphProto } from 'onnx-buf'
import type { Graph } from './graph.js'
import { bodies } from './subgraphs.js'

/** Operators that make a sequence of tensors, or something that may be none. */
export const SEQUENCE_MAKERS: ReadonlySet<string> = new Set([
  'Optional',
  'SequenceConstruct',
  'SequenceEmpty',
  'SequenceErase',
  'SequenceInsert',
  'SequenceMap',
  'SplitToSequence',
])

/** The values of a graph that are sequences or optional, which onnxruntime's binding for Node.js cannot hand over. */
export function sequenceValues(graph: Graph): ReadonlySet<string> {
  const found = new Set<string>()
  for (const node of graph.nodes) {
    const [body] = bodies(node.attributes.values())
    const makes = SEQUENCE_MAKERS.has(node.op) || (node.op === 'Identity' && found.has(node.inputs[0]))
    // A Loop's body has its condition in front of what it hands on.
    const places = body ? sequenceOutputs(body).map((place) => place - (node.op === 'Loop' ? 1 : 0)) : []
    node.outputs.forEach((output, place) => {
      if (makes || places.includes(place)) found.add(output)
    })
  }
  return found
}

/** Which outputs of a body are sequences: by their declared type, or by what makes them. */
function sequenceOutputs(body: GraphProto): readonly number[] {
  const made = new Set(body.node.flatMap((node) => (SEQUENCE_MAKERS.has(node.opType) ? node.output : [])))
  return body.output.flatMap(({ name, type }, place) =>
    type?.value.case === 'sequenceType' || made.has(name) ? [place] : [],
  )
}
