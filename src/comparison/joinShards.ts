import { isDeepStrictEqual } from 'node:util'
import { UsageError } from '../errors.js'
import { mergeShards, refuseIncomplete } from '../evaluation/merge.js'
import type { NamedResults } from '../evaluation/merge.js'
import type { Results } from '../evaluation/results.js'
import type { GateShard } from './gateShard.js'
import type { Absence, Comparison, Transfer } from './types.js'

/** What one shard of a gate has written. */
export interface NamedShard {
  /** For messages: its folder or artifact. */
  readonly name: string
  readonly record: GateShard
  readonly candidate?: Results
  /** Of this shard's images, or whole where it was not evaluated but known. */
  readonly baseline?: Results
}

export interface Joined {
  /** Undefined where the model is unchanged and was not attacked. */
  readonly candidate?: Results
  readonly baseline?: Results
  /** Undefined with a baseline. */
  readonly absence?: Absence
  readonly data: NonNullable<Comparison['data']>
  readonly origins?: Comparison['origins']
  readonly transfer?: readonly Transfer[]
  readonly notes: readonly string[]
}

/**
 * Joins the shards of a gate, given in any order, into what it would have found as a whole; see `mergeShards`.
 *
 * @throws UsageError that names the shard that is missing, doubled, or of something else.
 */
export function joinShards(parts: readonly NamedShard[]): Joined {
  const sorted = [...parts].sort((one, other) => one.record.shard.index - other.record.shard.index)
  for (const part of sorted) refuseContradiction(part, sorted[0])
  refuseIncomplete(sorted.map(({ name, record: { shard } }) => ({ name, ...shard })))
  const [{ record }] = sorted
  const known = {
    ...(record.baseline !== 'present' && { absence: { state: record.baseline, why: record.why } }),
    ...(record.origins && { origins: record.origins }),
    notes: [...new Set(sorted.flatMap(({ record: { notes } }) => notes))],
  }
  const spared = sorted.find((part) => part.record.unattacked !== undefined)?.record.unattacked
  if (spared !== undefined) return { ...known, data: spared }
  const candidate = mergeShards(resultsOf(sorted, 'candidate'))
  const { name, sha256, samples } = candidate.data
  const transfer = joinTransfer(sorted)
  return {
    ...{ ...known, candidate, data: { name, sha256, samples } },
    ...(record.baseline === 'present' && { baseline: joinBaseline(sorted) }),
    ...(transfer && { transfer }),
  }
}

const files = { candidate: 'results.json', baseline: 'baseline.json' } as const

function resultsOf(parts: readonly NamedShard[], role: keyof typeof files): readonly NamedResults[] {
  return parts.flatMap((part): readonly NamedResults[] => {
    const results = part[role]
    return results === undefined ? [] : [{ name: `${part.name}/${files[role]}`, results }]
  })
}

function refuseContradiction({ name, record, candidate, baseline }: NamedShard, first: NamedShard): void {
  const { index, count } = record.shard
  const spared = record.unattacked !== undefined
  if ((candidate === undefined) !== spared || (candidate && !isDeepStrictEqual(candidate.shard, record.shard)))
    throw new UsageError(`${name}: says it is shard ${index}/${count}, and its results do not; run that shard again`)
  if ((record.baseline === 'present' && !spared) !== (baseline !== undefined))
    throw new UsageError(`${name}: the results of the baseline contradict what it says of it; run that shard again`)
  const [own, other] = [record, first.record].map(
    ({ shard, baseline: state }) => `of ${shard.count}, baseline ${state}`,
  )
  if (own !== other)
    throw new UsageError(`${name}: is one ${own}, and ${first.name} is one ${other}; run all shards again`)
}

function joinBaseline(parts: readonly NamedShard[]): Results {
  const baselines = resultsOf(parts, 'baseline')
  const whole = baselines.find(({ results }) => results.shard === undefined)
  if (whole === undefined) return mergeShards(baselines)
  const other = baselines.find(({ results }) => results.model.sha256 !== whole.results.model.sha256)
  if (other === undefined) return whole.results
  throw new UsageError(`${other.name}: is of another baseline than ${whole.name}; run all shards again`)
}

/** Each image has been tried in one shard; where one had not both models, nothing is known of the whole. */
function joinTransfer(parts: readonly NamedShard[]): readonly Transfer[] | undefined {
  const [first, ...others] = parts.map(({ record }) => record.transfer)
  if (first === undefined) return undefined
  return others.reduce<readonly Transfer[] | undefined>(
    (joined, transfer) =>
      transfer &&
      joined?.map((one): Transfer => {
        const own = transfer.filter(
          (each) => each.from === one.from && each.to === one.to && each.threat === one.threat,
        )
        const fooled = [...one.fooled, ...own.flatMap((each) => each.fooled)]
        const tried = own.reduce((sum, each) => sum + each.tried, one.tried)
        return { ...one, tried, fooled: fooled.sort((a, b) => a - b) }
      }),
    first,
  )
}
