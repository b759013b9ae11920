import { settleExpanded } from '../../.build/autodiff/expand.js'
import { forOnnxruntime } from '../../.build/autodiff/forOnnxruntime.js'
import { addInMapLayout } from '../../.build/autodiff/mapLayout.js'
import { gradientBuilder, reverse } from '../../.build/autodiff/reverse.js'
import { RULES } from '../../.build/autodiff/rules/index.js'
import { CANONICAL_OPSET } from '../../.build/onnx/graph.js'
import { prune } from '../../.build/onnx/canonical/cleanup.js'
import { modelRunner } from '../../.build/engine/session.js'
import { compare, floats } from './compare.mjs'

/** In place of another rule: the same, but left in the standard's operators. */
export const ORDINARY = Symbol('ordinary operators')

/**
 * Compares the gradient of a few nodes as the product writes it, which is the first way, with other ways.
 *
 * @param forward nodes from `x` to `z`, their constants, and `dims` of x with the batch, or x itself, too; the node named
 *   `tested` is the one whose rule is looked at, and those around it are what it stands between.
 * @param others name → another rule for that node, or a way as `compare` has it, from `x` and `g` to `y`. One that comes to
 *   the same operators as the rule is not run again: it gives the rule its name.
 */
export async function compareRules(title, forward, others) {
  const settled = await settledOf(forward)
  const rule = written(settled)
  const rest = []
  let name = `the rule: ${operatorsOf(rule)}`
  for (const [way, other] of Object.entries(others)) {
    const nodes = other === ORDINARY || typeof other === 'function' ? written(settled, other) : other
    if (operatorsOf(nodes) === operatorsOf(rule)) name = `${way} (the rule)`
    else rest.push([way, nodes])
  }
  const { dims } = settled.observation.get('z')
  const g = floats(settled.observation.get('z').batchAxis === 0 ? [forward.dims[0], ...dims.slice(1)] : dims)
  return compare(title, { x: forward.x ?? floats(forward.dims), g }, { [name]: rule, ...Object.fromEntries(rest) })
}

/** The forward pass as the product differentiates it, its batch free. */
export async function settledOf({ dims, nodes, constants = {} }) {
  const run = modelRunner()
  const samples = (first, rows) => {
    const { data } = floats([first + rows, ...dims.slice(1)])
    return new Map([['x', floats([rows, ...dims.slice(1)], data.slice((data.length / (first + rows)) * first))]])
  }
  const graph = {
    name: 'forward',
    opsets: new Map([
      ['', CANONICAL_OPSET],
      ['com.microsoft', 1],
    ]),
    irVersion: 10,
    inputs: [{ name: 'x', type: 'float32', dims: ['batch', ...dims.slice(1)] }],
    outputs: [{ name: 'z' }],
    nodes,
    constants: new Map(Object.entries(constants)),
  }
  try {
    return await settleExpanded(graph, undefined, samples, run)
  } finally {
    await run.close()
  }
}

/** What is needed for gᵀ · d z / d x, from `x` and `g` to `y`, with another rule for the tested node where one is given. */
function written({ graph, observation }, instead) {
  const tested = graph.nodes.find(({ name }) => name === 'tested')
  const own = RULES.get(tested.op)
  if (typeof instead === 'function')
    RULES.set(tested.op, (node, ...rest) => (node.name === 'tested' ? instead : own)(node, ...rest))
  try {
    const b = gradientBuilder(graph, observation)
    addInMapLayout(graph.nodes, b)
    const gradient = reverse(graph.nodes, { output: 'z', seed: 'g', input: 'x' }, b)
    const nodes = b.nodes.map((node) => renamed(node, gradient, 'y'))
    const whole = prune({ ...graph, nodes, constants: b.constants, outputs: [{ name: 'y' }] })
    const made = instead === ORDINARY ? whole : forOnnxruntime(whole, observation)
    return [made.nodes, Object.fromEntries(made.constants)]
  } finally {
    RULES.set(tested.op, own)
  }
}

function renamed(node, from, to) {
  const rename = (name) => (name === from ? to : name)
  return { ...node, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) }
}

/** In the order in which they stand, those of a Scan's body in brackets. */
function operatorsOf([nodes]) {
  const inside = (node) => {
    const body = node.attributes.get('body')?.g?.node
    return body ? `${node.op} (${body.map(({ opType }) => opType).join(', ')})` : node.op
  }
  return nodes.map(inside).join(', ')
}
