import type { Raster } from './raster.js'

/** How a stored image becomes the upright one: is a stored row an upright column, and is it counted from the far end? */
interface Turn {
  readonly transposed: boolean
  readonly rowsReversed: boolean
  readonly columnsReversed: boolean
}

/** EXIF 2.32, tag 0x0112: where the stored first row and first column lie in the upright image. */
const turns: Readonly<Record<number, Turn>> = {
  1: { transposed: false, rowsReversed: false, columnsReversed: false },
  2: { transposed: false, rowsReversed: false, columnsReversed: true },
  3: { transposed: false, rowsReversed: true, columnsReversed: true },
  4: { transposed: false, rowsReversed: true, columnsReversed: false },
  5: { transposed: true, rowsReversed: false, columnsReversed: false },
  6: { transposed: true, rowsReversed: true, columnsReversed: false },
  7: { transposed: true, rowsReversed: true, columnsReversed: true },
  8: { transposed: true, rowsReversed: false, columnsReversed: true },
}

/** The stored image turned upright. @param orientation EXIF's, 1…8 */
export function orient(stored: Raster, orientation: number): Raster {
  const { transposed, rowsReversed, columnsReversed } = turns[orientation] ?? turns[1]
  const { channels } = stored
  const [width, height] = transposed ? [stored.height, stored.width] : [stored.width, stored.height]
  const pixels = new Uint8Array(stored.pixels.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [along, across] = transposed ? [x, y] : [y, x]
      const row = rowsReversed ? stored.height - 1 - along : along
      const column = columnsReversed ? stored.width - 1 - across : across
      for (let channel = 0; channel < channels; channel++)
        pixels[(y * width + x) * channels + channel] = stored.pixels[(row * stored.width + column) * channels + channel]
    }
  return { width, height, channels, pixels }
}
