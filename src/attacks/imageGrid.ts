import type { Random } from './random.js'
import type { Target } from './target.js'

/** Where the pixels of an image lie: a plane of cells, each with a value in every channel. */
export interface ImageGrid {
  readonly channels: number
  readonly height: number
  readonly width: number
  /** Between the values of neighbouring cells of a row in one channel. */
  readonly cellStride: number
  /** Between the values of one cell in neighbouring channels. */
  readonly channelStride: number
}

/** A part of the plane. */
export interface Patch {
  readonly row: number
  readonly column: number
  readonly rows: number
  readonly columns: number
}

/** The grid of an image; one whose layout tells nothing about neighbours but their order is a plane one cell high. */
export function imageGrid({ shape, layout }: Pick<Target, 'shape' | 'layout'>): ImageGrid {
  if (shape.length === 3 && layout === 'nchw') {
    const [channels, height, width] = shape
    return { channels, height, width, cellStride: 1, channelStride: height * width }
  }
  if (shape.length === 3 && layout === 'nhwc') {
    const [height, width, channels] = shape
    return { channels, height, width, cellStride: channels, channelStride: 1 }
  }
  const width = shape.reduce((total, size) => total * size, 1)
  return { channels: 1, height: 1, width, cellStride: 1, channelStride: width }
}

/** Indices of a patch's values in one channel, row by row. */
export function patchIndices(grid: ImageGrid, { row, column, rows, columns }: Patch, channel: number): number[] {
  const indices: number[] = []
  for (let r = row; r < row + rows; r++)
    for (let c = column; c < column + columns; c++)
      indices.push((r * grid.width + c) * grid.cellStride + channel * grid.channelStride)
  return indices
}

/**
 * The square of `side` × `side` cells, or where the plane is not that high (wide) what reaches from edge to edge and is as
 * large: on a plane one cell high, a run.
 */
export function patchSize({ height, width }: ImageGrid, side: number): Pick<Patch, 'rows' | 'columns'> {
  const rows = Math.min(side, height)
  const columns = Math.min(side, width)
  return {
    rows: Math.min(height, Math.max(rows, Math.round((side * side) / columns))),
    columns: Math.min(width, Math.max(columns, Math.round((side * side) / rows))),
  }
}

/** A patch somewhere, every place alike (Andriushchenko et al. 2020, algorithm 2). */
export function randomPatch(
  grid: ImageGrid,
  { rows, columns }: Pick<Patch, 'rows' | 'columns'>,
  random: Random,
): Patch {
  const row = Math.floor(random.uniform() * (grid.height - rows + 1))
  const column = Math.floor(random.uniform() * (grid.width - columns + 1))
  return { row, column, rows, columns }
}
