/** A ball as far as rounding needs it. */
interface Ball {
  readonly image: Float32Array
  readonly epsilon: number
  distance(point: Float32Array): number
}

/**
 * Rounds points of a ball to pixels of 8 bits (multiples of 1/255 of the range) that lie in the ball, too: each pixel to
 * its nearest level and then, where that leads outside, the pixels that rounding moved farthest away to the level before.
 * Where the ball holds no such point (images that are not of 8 bits themselves) the image is returned.
 *
 * @param low least and `high` greatest pixel, float32
 * @returns float32 [pixels]
 */
export function eightBits(ball: Ball, low: number, high: number): (point: Float32Array) => Float32Array {
  const { image, epsilon } = ball
  const pixelAt = (level: number): number => Math.fround((level / 255) * (high - low) + low)
  const levelOf = (pixel: number): number => ((pixel - low) / (high - low)) * 255

  return (point) => {
    const rounded = point.map((pixel) => pixelAt(Math.round(levelOf(pixel))))
    if (ball.distance(rounded) <= epsilon) return rounded
    const change = (i: number): number => Math.abs(rounded[i] - image[i])
    const outwards = [...point.keys()].filter((i) => change(i) > Math.abs(point[i] - image[i]))
    const excess = (i: number): number => change(i) - Math.abs(point[i] - image[i])
    for (const i of outwards.toSorted((one, other) => excess(other) - excess(one))) {
      const level = levelOf(point[i])
      rounded[i] = pixelAt(point[i] > image[i] ? Math.floor(level) : Math.ceil(level))
      if (ball.distance(rounded) <= epsilon) return rounded
    }
    return image.slice()
  }
}
