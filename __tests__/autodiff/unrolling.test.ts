import { expect, test } from '@jest/globals'
import { makeNode } from '../../src/onnx/attributes.js'
import { body, double, flow, scalar, truth } from './cases/bodies.js'
import { composed, differentiate, floating, integers, numbersOf, single } from './support.js'
import type { Case } from './support.js'

const positive = [
  makeNode('ReduceMax', ['x'], ['largest'], { keepdims: 0 }),
  makeNode('Greater', ['largest', 'zero'], ['condition']),
]
const doubled = body([], ['twice'], [makeNode('Add', ['x', 'x'], ['twice'])])
const squared = body([], ['square'], [makeNode('Mul', ['x', 'x'], ['square'])])
const halving = body(
  ['i', 'go', 'h'],
  ['still', 'next'],
  [
    makeNode('Mul', ['h', 'half'], ['next']),
    makeNode('ReduceMax', ['next'], ['largest'], { keepdims: 0 }),
    makeNode('Greater', ['largest', 'half'], ['still']),
  ],
  { half: double(0.5) },
)
const forever = body(
  ['i', 'go', 'h'],
  ['still', 'next'],
  [makeNode('Identity', ['go'], ['still']), makeNode('Neg', ['h'], ['next'])],
)

/** 101 nodes: 1000 times that is over 100000, though 1000 steps are not too many. */
const long = body(
  ['i', 'go', 'h0'],
  ['still', 'h100'],
  [
    makeNode('Identity', ['go'], ['still']),
    ...Array.from({ length: 100 }, (_, at) => makeNode('Neg', [`h${at}`], [`h${at + 1}`])),
  ],
)

/** A mistake of the user's model, and what the message must name: the node, and what to do or the limit. */
const REFUSED: readonly (readonly [Case, RegExp])[] = [
  [
    flow(
      'If by what is in the image',
      [...positive, makeNode('If', ['condition'], ['y'], { then_branch: doubled, else_branch: squared }, 'tested')],
      { zero: double(0) },
    ),
    /"tested" \(If\) chooses by a condition that depends on the image.*export the model with/,
  ],
  [
    flow('Loop until the image says so', [makeNode('Loop', ['trips', 'go', 'x'], ['y'], { body: halving }, 'tested')], {
      trips: scalar(9),
      go: truth(true),
    }),
    /"tested" \(Loop\) runs as often as the image .*export the model with/,
  ],
  [
    flow('Loop of too many steps', [makeNode('Loop', ['trips', 'go', 'x'], ['y'], { body: forever }, 'tested')], {
      trips: scalar(1025),
      go: truth(true),
    }),
    /Loop \(node "tested"\) takes 1025 steps of 2 nodes; .* up to 1024 steps and 100000 nodes in all; export the model for fewer steps/,
  ],
  [
    flow('Loop of too many nodes', [makeNode('Loop', ['trips', 'go', 'x'], ['y'], { body: long }, 'tested')], {
      trips: scalar(1000),
      go: truth(true),
    }),
    /Loop \(node "tested"\) takes 1000 steps of 101 nodes; .* up to 1024 steps and 100000 nodes in all/,
  ],
]

test.each(REFUSED.map(([tested, message]) => [tested.name, tested, message] as const))(
  'refused, saying what to do: %s',
  async (_name, tested, message) => {
    // Samples straddle both ways, so that the batch is fixed at 1 where images decide.
    await expect(differentiate({ ...tested, batch: 1 })).rejects.toThrow(message)
  },
)

/** Equal numbers: whose gradient it is. PyTorch's scatter_reduce shares it, topk gives it to what it took. */
test('ties', async () => {
  const x = floating('float32', [1, 4], [2, 1, 2, 2])
  const vjp = async (tested: Case, u: readonly number[]): Promise<readonly number[]> =>
    numbersOf(await (await differentiate({ ...tested, batch: 1 })).vjp(x, floating('float32', [1, u.length], u)))

  const scattered = single('ScatterElements', [4], {
    inputs: ['data', 'i', 'x'],
    constants: { data: floating('float32', [1, 2], [2, 0]), i: integers([0, 0, 0, 1], [1, 4]) },
    attributes: { axis: 1, reduction: 'max' },
  })
  expect(await vjp(scattered, [3, 5])).toEqual([1, 0, 1, 5])

  const top = composed('TopK', [4], [makeNode('TopK', ['x', 'k'], ['y', 'places'], { axis: 1 })], { k: integers([2]) })
  expect(await vjp(top, [3, 5])).toEqual([3, 0, 5, 0])
})
