import { isDeepStrictEqual } from 'node:util'
import type { Flag } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import { attacksOf } from './attacksOf.js'
import { allFlags } from './flags.js'
import type { Results } from './results.js'
import { summarise } from './summarise.js'

/** Results that were read from a file. */
export interface NamedResults {
  /** For messages. */
  readonly name: string
  readonly results: Results
}

/** What shards of one evaluation have alike. A CPU is not among them: the jobs of a matrix do not choose theirs. */
const ALIKE: Readonly<Record<string, (results: Results) => unknown>> = {
  model: ({ model: { sha256, classes } }) => [sha256, classes],
  preprocessing: ({ preprocessing }) => preprocessing,
  data: ({ data: { sha256, samples, classNames } }) => [sha256, samples, classNames],
  suite: ({ suite }) => suite,
  threats: ({ threats }) => threats,
  seed: ({ seed }) => seed,
  'number of shards': ({ shard }) => shard?.count,
  'version of the tool': ({ tool }) => tool.version,
  engine: ({ tool }) => tool.engine,
  batch: ({ tool }) => tool.batch,
}

/**
 * Joins the shards of one evaluation, given in any order, into what it would have given as a whole: equal to the byte but
 * for `cost.seconds`, which is the sum, and `tool.cpu` where the shards ran on several.
 *
 * @throws UsageError that names the shard that is missing, given twice, of another evaluation, or none
 */
export function mergeShards(parts: readonly NamedResults[]): Results {
  const shards = parts.map(withPlace).sort((one, other) => one.index - other.index)
  const [first] = shards
  if (first === undefined) throw new UsageError('there are no shards to join; give the results.json of each')
  for (const shard of shards) refuseForeign(first, shard)
  refuseIncomplete(shards)
  const { schema, tool, model, data, suite, threats, seed, preprocessing } = first.results
  const results = shards.map((part) => part.results)
  const samples = results.flatMap((part) => part.samples).sort((one, other) => one.index - other.index)
  const attacks = attacksOf(first.results)
  const cpus = [...new Set(results.map(({ tool }) => tool.cpu))].sort()
  const flags = allFlags(
    results.flatMap((part) => part.flags),
    samples,
    attacks,
  )
  const sum = (of: (cost: Results['cost']) => number) => results.reduce((total, { cost }) => total + of(cost), 0)
  return {
    schema,
    tool: { ...tool, cpu: cpus.join(' / ') },
    model,
    data,
    suite,
    threats,
    seed,
    ...(preprocessing && { preprocessing }),
    summary: summarise(samples, { threats, attacks, classNames: data.classNames }),
    samples,
    flags: [...flags, ...(cpus.length > 1 ? [severalCpus(cpus.length)] : [])],
    cost: {
      seconds: sum(({ seconds }) => seconds),
      forwards: sum(({ forwards }) => forwards),
      gradients: sum(({ gradients }) => gradients),
    },
  }
}

interface Part extends NamedResults {
  readonly index: number
  readonly count: number
}

function withPlace({ name, results }: NamedResults): Part {
  if (results.shard) return { name, results, ...results.shard }
  throw new UsageError(`${name}: is no shard, it holds all images; give what \`evaluate --shard I/N\` wrote`)
}

function refuseForeign(first: Part, other: Part): void {
  const differing = Object.keys(ALIKE).filter((what) => {
    const read = ALIKE[what]
    return !isDeepStrictEqual(read(first.results), read(other.results))
  })
  if (differing.length > 0)
    throw new UsageError(
      `${other.name}: is a shard of another evaluation than ${first.name}, for they differ in ${differing.join(', ')}; give shards of one model, made the same way`,
    )
}

/**
 * @param shards - In the order of their indices, of one count.
 * @throws UsageError that names the shard that is missing or given twice
 */
export function refuseIncomplete(
  shards: readonly { readonly name: string; readonly index: number; readonly count: number }[],
): void {
  const [{ count }] = shards
  for (const [place, { index, name }] of shards.entries())
    if (shards[place - 1]?.index === index)
      throw new UsageError(`${name}: is shard ${index}/${count}, and so is ${shards[place - 1].name}; give each once`)
  const present = new Set(shards.map(({ index }) => index))
  const missing = Array.from({ length: count }, (_, place) => place + 1).filter((index) => !present.has(index))
  if (missing.length > 0)
    throw new UsageError(
      `of ${count} shards ${missing.length === 1 ? 'this is' : 'these are'} missing: ${missing.map((index) => `${index}/${count}`).join(', ')}; give the results.json of each`,
    )
}

function severalCpus(number: number): Flag {
  return {
    code: 'several-cpus',
    message: `The shards ran on ${number} kinds of CPU; equality to the bit is promised on one.`,
  }
}
