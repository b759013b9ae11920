import { makeNode } from '../../.build/onnx/attributes.js'
import { compare, filled, floats, ints } from './compare.mjs'

const times = (a, b, y) => makeNode('Mul', [a, b], [y])
const minus = (a, b, y) => makeNode('Sub', [a, b], [y])
const rowSum = (x, y) => makeNode('ReduceSum', [x, 'last'], [y], { keepdims: 1 })
const fused = (a, b, y, attributes) => makeNode('FusedMatMul', [a, b], [y], attributes, '', 'com.microsoft')

/** d loss / d scores from the slopes of the probabilities, dP = dO·Vᵀ; with O = P·V the row sums of dP∘P are those of dO∘O. */
function softmax(images, heads, tokens, depth) {
  const [square, narrow] = [
    [images, heads, tokens, tokens],
    [images, heads, tokens, depth],
  ]
  const logits = floats(square)
  const last = ints([3])
  const dP = fused('dO', 'v', 'dP', { transB: 1 })
  const P = makeNode('Softmax', ['s'], ['p'], { axis: -1 })
  const O = makeNode('MatMul', ['p', 'v'], ['o'])
  const way = (...nodes) => [[P, O, dP, ...nodes, makeNode('Sum', ['dS', 'oo'], ['y'])], { last }]
  // Whatever is read later, the forward pass computes: its output is used here by all.
  const kept = makeNode('ReduceSum', ['o', 'last'], ['oo'], { keepdims: 1 })
  return compare(
    `Softmax of attention, ${heads} × ${tokens} × ${depth}`,
    { s: logits, v: floats(narrow), dO: floats(narrow) },
    {
      'P∘dP − P·rowsum(P∘dP)': way(
        kept,
        times('dP', 'p', 'w'),
        rowSum('w', 'd'),
        times('p', 'd', 'u'),
        minus('w', 'u', 'dS'),
      ),
      'P∘(dP − rowsum(P∘dP))': way(
        kept,
        times('dP', 'p', 'w'),
        rowSum('w', 'd'),
        minus('dP', 'd', 'u'),
        times('u', 'p', 'dS'),
      ),
      'P∘(dP − rowsum(dO∘O))': way(
        kept,
        times('dO', 'o', 'w'),
        rowSum('w', 'd'),
        minus('dP', 'd', 'u'),
        times('u', 'p', 'dS'),
      ),
    },
  )
}

/** dQ = dS·K, K split into heads and turned by the forward pass. */
function queries(images, heads, tokens, depth) {
  const k = floats([images, tokens, heads, depth])
  const turn = (perm, y) => makeNode('Transpose', ['k'], [y], { perm })
  const forward = [turn([0, 2, 3, 1], 't'), makeNode('MatMul', ['q', 't'], ['s'])]
  return compare(
    `d queries, ${heads} × ${tokens} × ${depth}`,
    { k, q: floats([images, heads, tokens, depth]) },
    {
      'FusedMatMul, keys as they lie': [[...forward, fused('s', 't', 'y', { transB: 1 })]],
      'Transpose, MatMul': [
        [
          ...forward,
          makeNode('Transpose', ['t'], ['u'], { perm: [0, 1, 3, 2] }),
          makeNode('MatMul', ['s', 'u'], ['y']),
        ],
      ],
    },
  )
}

/** dK = dSᵀ·Q, and back to where the keys came from. */
function keys(images, heads, tokens, depth) {
  const back = (from, perm) => makeNode('Transpose', [from], ['y'], { perm })
  return compare(
    `d keys, ${heads} × ${tokens} × ${depth}`,
    { dS: floats([images, heads, tokens, tokens]), q: floats([images, heads, tokens, depth]) },
    {
      'dSᵀ·Q': [[fused('dS', 'q', 'k', { transA: 1 }), back('k', [0, 2, 1, 3])]],
      '(Qᵀ·dS)ᵀ': [[fused('q', 'dS', 'k', { transA: 1 }), back('k', [0, 3, 1, 2])]],
    },
  )
}

function bias(images, tokens, from, to) {
  const constants = { w: floats([from, to]) }
  const nodes = [makeNode('MatMul', ['x', 'w'], ['h']), makeNode('Add', ['h', 'b'], ['y'])]
  return compare(
    `MatMul and bias, ${from} → ${to}`,
    { x: floats([images, tokens, from]) },
    {
      'MatMul, Add': [nodes, { ...constants, b: floats([1, 1, to], floats([to]).data) }],
      Gemm: [nodes, { ...constants, b: floats([to]) }],
    },
  )
}

/** a = 1/√(variance + ε), h = d loss / d x̂. */
function layerNormalization(images, tokens, width) {
  const mean = (x, y) => makeNode('ReduceMean', [x, 'last'], [y], { keepdims: 1 })
  const forward = makeNode('LayerNormalization', ['x', 'one', 'zero'], ['n', 'm', 'a'], { axis: -1 })
  const constants = { last: ints([2]), one: filled([width], 1), zero: filled([width], 0) }
  const dims = [images, tokens, width]
  const x = floats(dims)
  // Of x itself nothing would be left.
  const h = floats(
    dims,
    x.data.toReversed().map((value) => value ** 2),
  )
  return compare(
    `LayerNormalization, ${tokens} × ${width}`,
    { x, h },
    {
      'a·h − c·x + (c·μ − a·mean(h))': [
        [
          forward,
          mean('h', 'mh'),
          times('h', 'x', 'hx'),
          mean('hx', 'mhx'),
          times('m', 'mh', 'mm'),
          minus('mhx', 'mm', 'cov'),
          times('a', 'a', 'a2'),
          times('a2', 'a', 'a3'),
          times('cov', 'a3', 'c'),
          times('h', 'a', 'ah'),
          times('x', 'c', 'cx'),
          minus('ah', 'cx', 'd'),
          times('c', 'm', 'cm'),
          times('a', 'mh', 'am'),
          minus('cm', 'am', 'offset'),
          makeNode('Add', ['d', 'offset'], ['y']),
        ],
        constants,
      ],
      'a·(h − mean(h) − x̂·mean(h·x̂))': [
        [
          forward,
          minus('x', 'm', 'xm'),
          times('xm', 'a', 'xh'),
          mean('h', 'mh'),
          times('h', 'xh', 'hx'),
          mean('hx', 'mhx'),
          minus('h', 'mh', 'hm'),
          times('xh', 'mhx', 'xx'),
          minus('hm', 'xx', 'd'),
          times('d', 'a', 'y'),
        ],
        constants,
      ],
    },
  )
}

export const attentionWays = async () => [
  ...(await softmax(16, 3, 64, 64)),
  ...(await softmax(4, 6, 197, 64)),
  ...(await queries(16, 3, 64, 64)),
  ...(await queries(4, 6, 197, 64)),
  ...(await keys(16, 3, 64, 64)),
  ...(await keys(4, 6, 197, 64)),
  ...(await bias(64, 64, 192, 192)),
  ...(await bias(64, 64, 192, 768)),
  ...(await bias(64, 64, 768, 192)),
  ...(await layerNormalization(16, 64, 192)),
]
