import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, floating, integers, reals, single, smallIntegers } from '../support.js'
import type { Case, Doubled } from '../support.js'

const weights = (dims: readonly number[], seed = 3) => smallIntegers('float32', dims, seed)

/** An equation with `x` among constants of these shapes. */
function einsum(
  equation: string,
  shape: readonly number[],
  options: {
    readonly before?: readonly number[][]
    readonly after?: readonly number[][]
    readonly batch?: number
  } = {},
): Case {
  const { before = [], after = [], batch } = options
  const name = (dims: readonly number[], at: number) => [`c${at}`, weights(dims, at + 3)] as const
  const constants = Object.fromEntries([...before, ...after].map(name))
  const names = Object.keys(constants)
  return single('Einsum', shape, {
    label: equation,
    inputs: [...names.slice(0, before.length), 'x', ...names.slice(before.length)],
    constants,
    attributes: { equation },
    batch,
  })
}

export const LINEAR: readonly Case[] = [
  einsum('nij->nji', [3, 4]),
  einsum('nij->', [3, 4], { batch: 3 }),
  einsum('nij->ni', [3, 4]),
  einsum('aji', [3, 4]),
  einsum('...cb', [2, 3, 4]),
  einsum('ai,ij', [3], { after: [[3, 4]] }),
  einsum('ni, ij -> nj', [3], { after: [[3, 4]] }),
  einsum('ij,nj->ni', [3], { before: [[4, 3]] }),
  einsum('ni,k->nik', [3], { after: [[4]] }),
  einsum('nij,k->n', [3, 2], { after: [[4]] }),
  einsum('nhid,hjd->nhij', [2, 3, 4], { after: [[2, 5, 4]] }),
  einsum('ab,nbc,cd->nad', [3, 2], { before: [[4, 3]], after: [[2, 5]] }),
  einsum('ni,ni->n', [3], { after: [[1, 3]] }),
  einsum('nij,nij->nij', [1, 4], { after: [[1, 3, 1]] }),
  einsum('nii->ni', [3, 3]),
  einsum('nii->n', [3, 3]),
  einsum('niji->nj', [3, 2, 3]),
  einsum('niij,j->n', [3, 3, 2], { after: [[2]] }),
  einsum('niii->ni', [3, 3, 3]),
  einsum('bb->b', [3], { batch: 3 }),
  einsum('ii,nj->nj', [4], { before: [[3, 3]] }),
  einsum('n...->n...', [2, 3]),
  einsum('n...i->n...', [2, 3]),
  einsum('...ij,jk->...ik', [2, 3, 4], { after: [[4, 2]] }),
  einsum('...i,...i', [2, 3], { after: [[1, 2, 3]] }),
  einsum('n...i,n...i->n...', [1, 3], { after: [[1, 4, 3]] }),
  einsum('...ii->...i', [2, 3, 3]),
  einsum(',ni->ni', [3], { before: [[]] }),
]

export const SMOOTH: readonly Case[] = [
  composed(
    'Einsum of x with itself (attention)',
    [2, 3, 4],
    [makeNode('Einsum', ['x', 'x'], ['y'], { equation: 'nhid,nhjd->nhij' })],
    {},
    'float64',
  ),
  composed(
    'Einsum of three values that depend on x',
    [3, 3],
    [
      makeNode('Sin', ['x'], ['s']),
      makeNode('Einsum', ['x', 's', 'w', 'x'], ['y'], { equation: 'nij,njk,kl,nll->nil' }),
    ],
    { w: reals('float64', [3, 3], 5) },
    'float64',
  ),
]

/** +1 for an even permutation, −1 for an odd one, 0 where a number comes twice. */
function sign(permutation: readonly number[]): number {
  const pairs = permutation.flatMap((later, at) =>
    permutation.slice(0, at).map((earlier) => Math.sign(later - earlier)),
  )
  return pairs.reduce((product, pair) => product * pair, 1)
}

/** The determinant as Leibniz has it: a product of a number from each row, signed, over all permutations. */
function leibniz(label: string, shape: readonly number[]): Doubled {
  const size = shape[shape.length - 1]
  const rows = Array.from({ length: size }, (_, at) => at)
  const places = Array.from({ length: size ** size }, (_, at) => rows.map((row) => Math.floor(at / size ** row) % size))
  const letters = rows.map((row) => 'abcd'[row])
  const equation = `${letters.toReversed().join('')},${letters.map((letter) => `...${letter}`).join()}->...`
  const constants = {
    signs: floating(
      'float64',
      rows.map(() => size),
      places.map(sign),
    ),
    ...Object.fromEntries(rows.map((row) => [`i${row}`, integers([row], [])])),
  }
  const nodes = [
    ...rows.map((row) => makeNode('Gather', ['x', `i${row}`], [`r${row}`], { axis: shape.length - 1 })),
    makeNode('Einsum', ['signs', ...rows.map((row) => `r${row}`)], ['y'], { equation }),
  ]
  return { tested: single('Det', shape, { label }), twin: composed('Leibniz', shape, nodes, constants, 'float64') }
}

export const DOUBLED: readonly Doubled[] = [
  leibniz('1×1', [1, 1]),
  leibniz('2×2', [2, 2]),
  leibniz('two of 3×3', [2, 3, 3]),
  leibniz('4×4', [4, 4]),
]
