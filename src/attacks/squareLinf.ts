import { imageGrid, patchIndices, patchSize, randomPatch } from './imageGrid.js'
import { randomSign, type Proposals } from './proposals.js'
import type { Random } from './random.js'
import type { Target } from './target.js'

/** How often signs are drawn anew that would change nothing. Half of the draws do at worst, unless nothing ever does. */
const DRAWS = 16

/**
 * Square's points under Linf, all of them corners of the ball (Andriushchenko et al. 2020, algorithm 2): vertical stripes
 * to begin with, then squares of one sign for each channel. As in the authors' own code, signs are drawn again where they
 * would repeat the point that is already known.
 */
export function squareLinf({ threat, shape, layout }: Target): Proposals {
  const { image, epsilon } = threat
  const grid = imageGrid({ shape, layout })
  const { channels, height, width } = grid

  /** Every channel of the patch to a corner of its own; on the way to the ball float32 may round past it. */
  const painted = (point: Float32Array, patch: Parameters<typeof patchIndices>[1], random: Random): void => {
    for (let channel = 0; channel < channels; channel++) {
      const change = randomSign(random) * epsilon
      for (const i of patchIndices(grid, patch, channel)) point[i] = image[i] + change
    }
  }

  return {
    start(random) {
      const point = image.slice()
      for (let column = 0; column < width; column++)
        painted(point, { row: 0, column, rows: height, columns: 1 }, random)
      return threat.project(point)
    },
    next(best, share, random) {
      const side = Math.max(1, Math.round(Math.sqrt(share * height * width)))
      const patch = randomPatch(grid, patchSize(grid, side), random)
      let proposal = best
      for (let draw = 0; draw < DRAWS && same(proposal, best); draw++) {
        const point = best.slice()
        painted(point, patch, random)
        proposal = threat.project(point)
      }
      return proposal
    },
  }
}

function same(one: Float32Array, other: Float32Array): boolean {
  return one === other || one.every((value, i) => value === other[i])
}
