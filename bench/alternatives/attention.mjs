import { forOnnxruntime } from '../../.build/autodiff/forOnnxruntime.js'
import { imageByImage } from '../../.build/autodiff/rules/imageByImage.js'
import { rule } from '../../.build/autodiff/rule.js'
import { makeNode } from '../../.build/onnx/attributes.js'
import { compare, filled, floats } from './compare.mjs'
import { compareRules, ORDINARY, settledOf } from './rules.mjs'

/** d loss / d scores of P = Softmax(scores), from dP = g·Vᵀ; with Z = P·V the row sums of P∘dP are those of g∘Z. */
function softmax(images, heads, tokens, depth) {
  const way = (write) =>
    rule((node, dP, b) => {
      const rows = (left, right) => b.sum(b.mul(left, right), [3], true)
      return [write(node.outputs[0], dP, rows, b)]
    })
  return compareRules(
    `Softmax of attention, ${heads} × ${tokens} × ${depth}`,
    {
      dims: [images, heads, tokens, tokens],
      nodes: [makeNode('Softmax', ['x'], ['p'], { axis: -1 }, 'tested'), makeNode('MatMul', ['p', 'v'], ['z'])],
      constants: { v: floats([heads, tokens, depth]) },
    },
    {
      'P∘(dP − rowsum(P∘dP))': way((p, dP, rows, b) => b.mul(p, b.add('Sub', [dP, rows(p, dP)]))),
      'P∘(dP − rowsum(g∘Z))': way((p, dP, rows, b) => b.mul(p, b.add('Sub', [dP, rows('g', 'z')]))),
    },
  )
}

/** Q·Kᵀ, both split into heads and turned: what comes back to where they came from. */
function scores(images, heads, tokens, depth) {
  return compareRules(
    `queries and keys, ${heads} × ${tokens} × ${depth}`,
    {
      dims: [images, tokens, heads, depth],
      nodes: [
        makeNode('Transpose', ['x'], ['q'], { perm: [0, 2, 1, 3] }),
        makeNode('Transpose', ['x'], ['k'], { perm: [0, 2, 3, 1] }),
        makeNode('MatMul', ['q', 'k'], ['z'], {}, 'tested'),
      ],
    },
    { 'Transpose, MatMul': ORDINARY },
  )
}

/** Forward: no gradient of it is made. */
async function bias(images, tokens, from, to) {
  const constants = { w: floats([from, to]), b: floats([to]) }
  const nodes = [makeNode('MatMul', ['x', 'w'], ['h'], {}, 'tested'), makeNode('Add', ['h', 'b'], ['z'])]
  const dims = [images, tokens, from]
  const { graph, observation } = await settledOf({ dims, nodes, constants })
  const chosen = forOnnxruntime(graph, observation)
  const toY = (list) =>
    list.map((node) => ({ ...node, outputs: node.outputs.map((name) => (name === 'z' ? 'y' : name)) }))
  return compare(
    `MatMul and bias, ${from} → ${to}`,
    { x: floats(dims) },
    {
      'bias of three axes, so that it stays an Add': [toY(chosen.nodes), Object.fromEntries(chosen.constants)],
      'bias as it is, so that it becomes a Gemm': [toY(nodes), constants],
    },
  )
}

/** a = 1/√(variance + ε), μ the mean, h = d loss / d x̂. */
function layerNormalization(images, tokens, width) {
  const dims = [images, tokens, width]
  const textbook = rule((node, gradient, b) => {
    const [x] = node.inputs
    const given = [gradient, x, b.extraOutput(node, 1), b.extraOutput(node, 2)]
    const written = ([g, image, middle, factor]) => {
      const mean = (value) => b.add('ReduceMean', [value, b.ints([-1])], { keepdims: 1 })
      const standard = b.mul(b.add('Sub', [image, middle]), factor)
      const h = b.mul(g, node.inputs[1])
      const along = b.mul(standard, mean(b.mul(h, standard)))
      return b.mul(b.add('Sub', [b.add('Sub', [h, mean(h)]), along]), factor)
    }
    return [imageByImage(given, x, b, written)]
  })
  return compareRules(
    `LayerNormalization, ${tokens} × ${width}`,
    {
      dims,
      nodes: [makeNode('LayerNormalization', ['x', 'scale', 'zero'], ['z'], { axis: -1 }, 'tested')],
      constants: { scale: filled([width], 1.1), zero: filled([width], 0) },
      // Of a gradient along x itself nothing would be left.
      x: floats(
        dims,
        floats(dims)
          .data.toReversed()
          .map((value) => value ** 2),
      ),
    },
    { 'a·(h − mean(h) − x̂·mean(h·x̂))': textbook },
  )
}

export const attentionWays = async () => [
  ...(await softmax(16, 3, 64, 64)),
  ...(await softmax(4, 6, 197, 64)),
  ...(await scores(16, 3, 64, 64)),
  ...(await scores(4, 6, 197, 64)),
  ...(await bias(64, 64, 192, 192)),
  ...(await bias(64, 64, 192, 768)),
  ...(await bias(64, 64, 768, 192)),
  ...(await layerNormalization(16, 64, 192)),
]
