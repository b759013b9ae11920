import { expect, test } from '@jest/globals'
import { inspectModel } from '../../src/autodiff/inspect.js'
import { makeNode } from '../../src/onnx/attributes.js'
import { encodeModel } from '../../src/onnx/codec.js'
import { body, double, flow, scalar, truth } from './cases/bodies.js'
import { graphOf, settledOf } from './support.js'
import type { Case } from './support.js'

/** What a gradient steps over is part of what a result is worth: in the body of a loop as much as outside. */

/** Floors what it carries and adds up a counter, which is rounded too and has nothing to do with the image. */
const stepping = body(
  ['i', 'go', 'h', 'count'],
  ['still', 'next', 'more'],
  [
    makeNode('Identity', ['go'], ['still']),
    makeNode('Floor', ['h'], ['floored']),
    makeNode('Add', ['floored', 'x'], ['next']),
    makeNode('Ceil', ['count'], ['more']),
  ],
)

const branch = body([], ['r'], [makeNode('Round', ['x'], ['rounded']), makeNode('Mul', ['rounded', 'x'], ['r'])])
const scan = body(
  ['h', 'row'],
  ['next', 'out'],
  [
    makeNode('Add', ['h', 'row'], ['next']),
    makeNode('Sign', ['next'], ['sign']),
    makeNode('Mul', ['sign', 'row'], ['out']),
  ],
)

const CASES: readonly (readonly [Case, readonly string[]])[] = [
  [
    flow(
      'a Loop',
      [
        makeNode('Loop', ['trips', 'go', 'x', 'zero'], ['l', 'count'], { body: stepping }),
        makeNode('Add', ['l', 'count'], ['y']),
      ],
      { trips: scalar(3), go: truth(true), zero: double(0) },
    ),
    ['Floor'],
  ],
  [
    flow('an If', [makeNode('If', ['c'], ['y'], { then_branch: branch, else_branch: branch })], { c: truth(true) }),
    ['Round'],
  ],
  [
    flow(
      'a Scan',
      [
        makeNode('Gather', ['x', 'zero'], ['h0'], { axis: 2 }),
        makeNode('Scan', ['h0', 'x'], ['last', 'y'], {
          body: scan,
          num_scan_inputs: 1,
          scan_input_axes: [2],
          scan_output_axes: [2],
        }),
      ],
      { zero: scalar(0) },
    ),
    ['Sign'],
  ],
]

test.each(CASES.map(([tested, operators]) => [tested.name, tested, operators] as const))(
  'straight-through operators are named in the body of %s',
  async (_name, tested, operators) => {
    const { straightThrough } = await settledOf(tested)
    expect(straightThrough).toEqual(operators)
    const inspection = await inspectModel({ name: 'flow', bytes: encodeModel(graphOf(tested)), external: {} })
    const marked = inspection.operators.filter(({ gradient }) => gradient === 'straight-through')
    expect(marked.map(({ operator }) => operator)).toEqual(operators)
  },
)

test('an operator without a rule is named in a body, and what only counts is not', async () => {
  const unknown = body([], ['d'], [makeNode('MelWeightMatrix', ['x', 'x', 'x', 'x', 'x'], ['d'])])
  const idle = body([], ['e'], [makeNode('StringConcat', ['s', 's'], ['t']), makeNode('Neg', ['x'], ['e'])])
  const node = makeNode('If', ['c'], ['y'], { then_branch: unknown, else_branch: idle })
  const bytes = encodeModel(
    graphOf(flow('If', [node], { c: truth(true), s: { type: 'string', dims: [], data: ['a'] } })),
  )
  const { problems } = await inspectModel({ name: 'flow', bytes, external: {} })
  expect(problems.filter((problem) => problem.includes('MelWeightMatrix'))).toHaveLength(1)
  expect(problems.filter((problem) => problem.includes('StringConcat'))).toEqual([])
})
