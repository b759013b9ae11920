/** A ball as far as rounding needs it. */
interface Ball {
  readonly image: Float32Array
  readonly epsilon: number
  distance(point: Float32Array): number
}

/**
 * Rounds points of a ball to pixels of 8 bits (multiples of 1/255 of the range) that lie in the ball, too: each pixel to
 * its nearest level, and where that leads outside, as few of the pixels as it takes, those first that rounding moved
 * farthest away from the image, to the level before. Where that leads outside as well (an image that is not of 8 bits
 * itself) the image is returned. A point beyond the ball, where attacks pass that look for the least distance, only goes
 * to the nearest levels: none of its witnesses could be in the ball.
 *
 * @param low least and `high` greatest pixel, float32
 * @returns float32 [pixels]
 */
export function eightBits(ball: Ball, low: number, high: number): (point: Float32Array) => Float32Array {
  const { image, epsilon } = ball
  // As images are decoded, so that an image of 8 bits is made of the same float32 numbers.
  const pixels = Float32Array.from({ length: 256 }, (_, level) => low + ((high - low) * level) / 255)
  const levelOf = (pixel: number): number => Math.round(((pixel - low) / (high - low)) * 255)

  /** Of the nearest level and the one before it, as seen from the image, the one that is nearer to the image. */
  const withdrawn = (point: number, from: number): number => {
    const level = levelOf(point)
    const before = pixels[point > from ? Math.max(0, level - 1) : Math.min(255, level + 1)]
    return Math.abs(before - from) < Math.abs(pixels[level] - from) ? before : pixels[level]
  }

  return (point) => {
    const nearest = point.map((pixel) => pixels[levelOf(pixel)])
    if (ball.distance(nearest) <= epsilon || ball.distance(point) > epsilon) return nearest

    const excess = nearest.map((pixel, i) => Math.abs(pixel - image[i]) - Math.abs(point[i] - image[i]))
    const outwards = [...excess.keys()].filter((i) => excess[i] > 0).sort((one, other) => excess[other] - excess[one])
    const withFirst = (count: number): Float32Array => {
      const rounded = nearest.slice()
      for (const i of outwards.slice(0, count)) rounded[i] = withdrawn(point[i], image[i])
      return rounded
    }
    // Each pixel withdrawn brings the image nearer: bisection, for every distance is a pass over all pixels.
    let [outside, inside] = [0, outwards.length]
    if (!(ball.distance(withFirst(inside)) <= epsilon)) return image.slice()
    while (inside - outside > 1) {
      const middle = (outside + inside) >> 1
      if (ball.distance(withFirst(middle)) <= epsilon) inside = middle
      else outside = middle
    }
    return withFirst(inside)
  }
}
