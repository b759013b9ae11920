import type { GraphProto } from 'onnx-buf'
import { makeNode } from '../../../src/onnx/attributes.js'
import type { Node, Tensor } from '../../../src/onnx/graph.js'
import { PIXELS } from '../noisyClassifier.js'
import { floating } from '../support.js'
import { body, scalar, truth } from './bodies.js'

const number = (value: number): Tensor => floating('float32', [], [value])

export const CONSTANTS: Readonly<Record<string, Tensor>> = {
  yes: truth(true),
  no: truth(false),
  three: scalar(3),
  zero: number(0),
  half: number(0.5),
  unit: number(1),
  sure: floating('float32', [1, 2], [-100, 0]),
  hardly: number(1e-9),
  level: number(1.25),
  ones: floating('float32', [PIXELS], new Float32Array(PIXELS).fill(1)),
  levels: floating('float32', [PIXELS], new Float32Array(PIXELS).fill(1.25)),
}

/** Nodes that make `to` in the shape of `like`. */
export type Draw = (like: string, to: string) => readonly Node[]

/** Draws that scatter by a millionth, so that what is drawn has the gradient of what is not, and the number they are about. */
export const normal: Draw = (like, to) => [
  makeNode('RandomNormalLike', [like], [to], { mean: { float: 1.25 }, scale: { float: 1e-6 } }),
]
export const number125: Draw = (like, to) => [
  makeNode('Mul', [like, 'zero'], [`${to} of zeros`]),
  makeNode('Add', [`${to} of zeros`, 'level'], [to]),
]
const itself: Draw = (like, to) => [makeNode('Identity', [like], [to])]

/** A body that multiplies what it takes by what is drawn. */
const multiplied = (draw: Draw, [from, to]: readonly [string, string], { first = [] as readonly Node[] } = {}) => [
  ...first,
  ...draw(from, `${to}'s factor`),
  makeNode('Mul', [from, `${to}'s factor`], [to]),
]

export const opposite = body([], ['opposite'], [makeNode('Neg', ['x'], ['opposite'])])
export const step = (nodes: readonly Node[], ...outputs: readonly string[]): GraphProto =>
  body(['i', 'go', 'carried'], ['goesOn', 'next', ...outputs], [makeNode('Identity', ['go'], ['goesOn']), ...nodes])
export const looped = (draw: Draw) =>
  makeNode('Loop', ['three', 'yes', 'x'], ['noisy'], { body: step(multiplied(draw, ['carried', 'next'])) })

/** Where a draw may stand, each `noisy` made of `x`. */
export const PLACES: readonly (readonly [string, (draw: Draw) => readonly Node[]])[] = [
  [
    'in the branch that is taken',
    (draw) => [
      makeNode('If', ['yes'], ['noisy'], {
        then_branch: body([], ['drawn'], multiplied(draw, ['x', 'drawn'])),
        else_branch: opposite,
      }),
    ],
  ],
  [
    'in the branch that is taken by what has to be computed',
    (draw) => [
      makeNode('Not', ['yes'], ['told']),
      makeNode('If', ['told'], ['noisy'], {
        then_branch: opposite,
        else_branch: body([], ['drawn'], multiplied(draw, ['x', 'drawn'])),
      }),
    ],
  ],
  [
    'in a branch of a branch',
    (draw) => [
      makeNode('If', ['yes'], ['noisy'], {
        then_branch: body(
          [],
          ['inner'],
          [
            makeNode('If', ['no'], ['inner'], {
              then_branch: opposite,
              else_branch: body([], ['drawn'], multiplied(draw, ['x', 'drawn'])),
            }),
          ],
        ),
        else_branch: opposite,
      }),
    ],
  ],
  ['in a Loop', (draw) => [looped(draw)]],
  [
    'in a Loop that ends itself',
    (draw) => {
      const counted = [makeNode('Less', ['i', 'two'], ['goesOn']), makeNode('Constant', [], ['two'], { value_int: 2 })]
      const nodes = [...counted.toReversed(), ...multiplied(draw, ['carried', 'next'])]
      return [
        makeNode('Loop', ['', 'yes', 'x'], ['noisy'], {
          body: body(['i', 'go', 'carried'], ['goesOn', 'next'], nodes),
        }),
      ]
    },
  ],
  [
    'in a branch within a Loop, at one of its steps',
    (draw) => [
      makeNode('Loop', ['three', 'yes', 'x'], ['noisy'], {
        body: step([
          makeNode('Constant', [], ['one'], { value_int: 1 }),
          makeNode('Equal', ['i', 'one'], ['isSecond']),
          makeNode('If', ['isSecond'], ['next'], {
            then_branch: body([], ['drawn'], multiplied(draw, ['carried', 'drawn'])),
            else_branch: body([], ['opposite'], [makeNode('Neg', ['carried'], ['opposite'])]),
          }),
        ]),
      }),
    ],
  ],
  [
    'in a Loop within a Loop',
    (draw) => [
      makeNode('Loop', ['three', 'yes', 'x'], ['noisy'], {
        body: step([
          makeNode('Loop', ['three', 'go', 'carried'], ['next'], {
            body: body(
              ['j', 'continue', 'within'],
              ['still', 'out'],
              [makeNode('Identity', ['continue'], ['still']), ...multiplied(draw, ['within', 'out'])],
            ),
          }),
        ]),
      }),
    ],
  ],
  [
    'in a Scan',
    (draw) => [
      makeNode('Scan', ['x'], ['columns'], {
        body: body(['column'], ['out'], multiplied(draw, ['column', 'out'])),
        num_scan_inputs: 1,
        scan_input_axes: [1],
        scan_output_axes: [1],
      }),
      makeNode('Identity', ['columns'], ['noisy']),
    ],
  ],
  [
    'in a Loop that no image goes through',
    (draw) => [
      makeNode('Loop', ['three', 'yes', 'ones'], ['factors'], { body: step(multiplied(draw, ['carried', 'next'])) }),
      makeNode('Mul', ['x', 'factors'], ['noisy']),
    ],
  ],
  [
    'in a branch that no image goes through, chosen by chance',
    (draw) => [
      makeNode('RandomUniform', [], ['chance'], { shape: [1] }),
      makeNode('Less', ['chance', 'level'], ['always']),
      makeNode('If', ['always'], ['factors'], {
        then_branch: body([], ['drawn'], multiplied(draw, ['ones', 'drawn'])),
        else_branch: body([], ['same'], [makeNode('Neg', ['ones'], ['same'])]),
      }),
      makeNode('Mul', ['x', 'factors'], ['noisy']),
    ],
  ],
]

/** Kinds of draws, each with what it is about. */
export const KINDS: readonly (readonly [string, Draw, Draw])[] = [
  [
    'uniform numbers',
    (like, to) => [makeNode('RandomUniformLike', [like], [to], { low: { float: 1.25 }, high: { float: 1.250002 } })],
    number125,
  ],
  [
    'numbers of a type that is said',
    (like, to) => [
      makeNode('RandomNormalLike', [like], [`${to} doubled`], {
        mean: { float: 1.25 },
        scale: { float: 1e-6 },
        dtype: 11,
      }),
      makeNode('Cast', [`${to} doubled`], [to], { to: 1 }),
    ],
    number125,
  ],
  [
    'normal numbers of one shape',
    (_, to) => [
      makeNode('RandomNormal', [], [to], { mean: { float: 1.25 }, scale: { float: 1e-6 }, shape: [1, PIXELS] }),
    ],
    (_, to) => [makeNode('Identity', ['levels'], [to])],
  ],
  [
    'uniform numbers of one shape',
    (_, to) => [
      makeNode('RandomUniform', [], [to], { low: { float: 1.25 }, high: { float: 1.250002 }, shape: [PIXELS] }),
    ],
    (_, to) => [makeNode('Identity', ['levels'], [to])],
  ],
  // The second class, all but once in e¹⁰⁰ draws.
  [
    'Multinomial’s classes',
    (_, to) => [
      makeNode('Multinomial', ['sure'], [`${to} class`], { sample_size: 1 }),
      makeNode('Cast', [`${to} class`], [to], { to: 1 }),
    ],
    (_, to) => [makeNode('Identity', ['unit'], [to])],
  ],
  // All but one of a billion are kept.
  ['Dropout that trains', (like, to) => [makeNode('Dropout', [like, 'hardly', 'yes'], [to])], itself],
  [
    'Dropout that trains, with its constants beside it',
    (like, to) => [
      makeNode('Constant', [], [`${to} ratio`], { value: number(1e-9) }),
      makeNode('Constant', [], [`${to} training`], { value: truth(true) }),
      makeNode('Dropout', [like, `${to} ratio`, `${to} training`], [to]),
    ],
    itself,
  ],
  [
    'Dropout whose mask is read',
    (like, to) => [
      makeNode('Dropout', [like, 'hardly', 'yes'], [`${to} kept`, `${to} mask`]),
      makeNode('Cast', [`${to} mask`], [`${to} ones`], { to: 1 }),
      makeNode('Mul', [`${to} kept`, `${to} ones`], [to]),
    ],
    itself,
  ],
]
