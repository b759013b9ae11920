import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, integers, reals, single } from '../support.js'
import type { Case } from '../support.js'

const MODES = ['zeros', 'border', 'reflection'].flatMap((padding_mode) =>
  [0, 1].map((align_corners) => ({ padding_mode, align_corners })),
)

/** An image and a grid cut out of x; the grid, up to 1.3, leaves the image. */
const IMAGE_AND_GRID = [
  makeNode('Slice', ['x', 'zero', 'split', 'one'], ['pixels']),
  makeNode('Slice', ['x', 'split', 'end', 'one'], ['far']),
  makeNode('Mul', ['far', 'reach'], ['points']),
  makeNode('Reshape', ['pixels', 'image_shape'], ['image']),
  makeNode('Reshape', ['points', 'grid_shape'], ['grid']),
]

function sampling(
  image: readonly number[],
  grid: readonly number[],
  attributes: { readonly mode: string; readonly padding_mode: string; readonly align_corners: number },
): Case {
  const [pixels, points] = [image, grid].map((dims) => dims.reduce((total, size) => total * size, 1))
  const { mode, padding_mode, align_corners } = attributes
  return composed(
    `GridSample, ${mode}, ${padding_mode}, ${align_corners ? 'corners aligned' : 'edges aligned'}, ${image.length - 1}-D`,
    [pixels + points],
    [...IMAGE_AND_GRID, makeNode('GridSample', ['image', 'grid'], ['y'], attributes)],
    {
      zero: integers([0]),
      one: integers([1]),
      split: integers([pixels]),
      end: integers([pixels + points]),
      image_shape: integers([-1, ...image]),
      grid_shape: integers([-1, ...grid]),
      reach: { type: 'float64', dims: [], data: Float64Array.of(0.66) },
    },
    'float64',
  )
}

export const SMOOTH: readonly Case[] = [
  ...['nearest', 'linear', 'cubic'].flatMap((mode) =>
    MODES.map((padding) => sampling([2, 2, 3], [1, 2, 2], { mode, ...padding })),
  ),
  ...['nearest', 'linear'].flatMap((mode) =>
    MODES.map((padding) => sampling([1, 2, 2, 2], [1, 1, 2, 3], { mode, ...padding })),
  ),
  single('GridSample', [2, 3, 4], {
    label: 'a constant grid, batch fixed at 2',
    type: 'float64',
    batch: 2,
    constants: { grid: reals('float64', [2, 3, 2, 2], 5, -1.2, 1.2) },
  }),
  single('GridSample', [3, 2, 2], {
    label: 'a constant image, batch fixed at 2',
    type: 'float64',
    batch: 2,
    inputs: ['image', 'x'],
    constants: { image: reals('float64', [2, 2, 4, 3], 5) },
    attributes: { mode: 'cubic' },
  }),
  ...[0, 1].flatMap((align_corners) => [
    single('AffineGrid', [2, 3], {
      label: `two axes, align_corners ${align_corners}, batch fixed at 2`,
      type: 'float64',
      batch: 2,
      constants: { size: [2, 1, 4, 3] },
      attributes: { align_corners },
    }),
    single('AffineGrid', [3, 4], {
      label: `three axes, align_corners ${align_corners}, batch fixed at 2`,
      type: 'float64',
      batch: 2,
      constants: { size: [2, 1, 2, 4, 3] },
      attributes: { align_corners },
    }),
  ]),
  single('AffineGrid', [2, 3], {
    label: 'a single row, align_corners, batch fixed at 2',
    type: 'float64',
    batch: 2,
    constants: { size: [2, 1, 1, 3] },
    attributes: { align_corners: 1 },
  }),
  composed(
    'AffineGrid, the batch out of a shape',
    [2, 3],
    [
      makeNode('Shape', ['x'], ['rows'], { end: 1 }),
      makeNode('Concat', ['rows', 'size'], ['shape'], { axis: 0 }),
      makeNode('AffineGrid', ['x', 'shape'], ['y']),
    ],
    { size: integers([1, 3, 2]) },
    'float64',
  ),
]
