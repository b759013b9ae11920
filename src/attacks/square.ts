import type { SquareSpec } from '../config/attackTypes.js'
import { tryPoint, type Tried } from './margin.js'
import type { Proposals } from './proposals.js'
import type { Asking, Attack } from './protocol.js'
import type { Random, RandomSource } from './random.js'
import { squareBumps } from './squareBumps.js'
import { squareLinf } from './squareLinf.js'
import type { Target } from './target.js'

/**
 * Square attack: random search with local changes that shrink by a schedule (Andriushchenko et al. 2020, algorithm 1; under
 * L1 Croce and Hein 2021). It asks for no gradient: every query is one to the original, `queries` of them for each start,
 * and a change stays where it brings the original nearer to being fooled. Ends at the first witness; without one the
 * result is the point of the greatest margin.
 */
export function* square(target: Target, options: SquareSpec, random: RandomSource): Attack {
  const proposals = proposalsOf(target)
  let best: Tried | undefined
  for (let restart = 0; restart < options.restarts; restart++) {
    const end = yield* search(target, proposals, options, random(restart, 0))
    if (end.result.success) return end.result
    if (!best || end.margin > best.margin) best = end
  }
  if (!best) throw new RangeError(`The attack ${options.id} has no start.`)
  return best.result
}

/** One start. Its random numbers are one stream: a hash for each of thousands of queries would cost as much as a small model. */
function* search(target: Target, proposals: Proposals, { queries, p }: SquareSpec, random: Random): Asking<Tried> {
  let best = yield* tryPoint(target, proposals.start(random))
  for (let query = 1; query < queries && !best.result.success; query++) {
    const share = shareOfCells(p, query - 1, queries)
    const next = yield* tryPoint(target, proposals.next(best.candidate, share, random))
    if (next.result.success || next.margin > best.margin) best = next
  }
  return best
}

/** After how many of 10,000 changes p is halved (section 4.1 of the paper; the authors' code halves behind each of them). */
const HALVED_AFTER = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000]

/**
 * The share of the cells that a change covers, by the published schedule, rescaled to the number of queries.
 *
 * @param p of the first changes
 * @param change from 0
 */
export function shareOfCells(p: number, change: number, queries: number): number {
  const place = Math.floor((change / queries) * 10_000)
  return p / 2 ** HALVED_AFTER.filter((after) => place > after).length
}

function proposalsOf(target: Target): Proposals {
  const { norm } = target.threat
  return norm === 'linf' ? squareLinf(target) : squareBumps(target, norm)
}
