import { describe, expect, test } from '@jest/globals'
import { imageGrid, patchIndices, patchSize, randomPatch } from '../../src/attacks/imageGrid.js'
import { randomStream } from '../../src/attacks/random.js'

describe('a change covers neighbours', () => {
  test('where the layout says they are', () => {
    const patch = { row: 1, column: 0, rows: 2, columns: 2 }
    // Two channels, three rows of four: cells 4, 5 and 8, 9.
    const nchw = imageGrid({ shape: [2, 3, 4], layout: 'nchw' })
    expect([0, 1].map((channel) => patchIndices(nchw, patch, channel))).toEqual([
      [4, 5, 8, 9],
      [16, 17, 20, 21],
    ])
    const nhwc = imageGrid({ shape: [3, 4, 2], layout: 'nhwc' })
    expect([0, 1].map((channel) => patchIndices(nhwc, patch, channel))).toEqual([
      [8, 10, 16, 18],
      [9, 11, 17, 19],
    ])
  })

  test.each([
    ['a square', [28, 28], 25, [25, 25]],
    ['a run, where the plane is one cell high', [1, 784], 25, [1, 625]],
    ['from top to bottom and as many columns as it takes, where the plane is low', [10, 49], 20, [10, 40]],
    ['from side to side, where it is narrow', [49, 10], 20, [40, 10]],
    ['everything there is', [2, 3], 3, [2, 3]],
  ] as const)('%s', (_, [height, width], side, [rows, columns]) => {
    const grid = { channels: 1, height, width, cellStride: 1, channelStride: height * width }
    expect(patchSize(grid, side)).toEqual({ rows, columns })
  })

  test('every place of the plane is reached, its last row and column too', () => {
    const grid = imageGrid({ shape: [1, 4, 5], layout: 'nchw' })
    const random = randomStream([1, 2, 3, 4])
    const places = Array.from({ length: 500 }, () => randomPatch(grid, { rows: 3, columns: 3 }, random))
    expect(new Set(places.map(({ row }) => row))).toEqual(new Set([0, 1]))
    expect(new Set(places.map(({ column }) => column))).toEqual(new Set([0, 1, 2]))
  })
})
