import { UsageError } from '../errors.js'
import type { Results } from '../evaluation/results.js'
import { isCorrect } from '../evaluation/summarise.js'

/** What two results must have been made with alike. */
export interface Conditions {
  readonly suite: Results['suite']
  readonly threats: Results['threats']
  readonly seed: number
  readonly data: Pick<Results['data'], 'sha256'>
}

/**
 * Refuses what was not, or is not going to be, made the same way: such numbers are never compared. Throws a UsageError
 * that names everything that differs.
 */
export function assertSameConditions(candidate: Conditions, baseline: Conditions): void {
  refuseIfAny([
    ...attackDifferences(candidate, baseline),
    difference('data sha256', candidate, baseline, ({ data }) => data.sha256),
  ])
}

/** Refuses results of attacks that a config does not ask for, as `assertSameConditions` does. */
export function assertAsConfigured(results: Attacked, asked: Attacked): void {
  const found = attackDifferences(results, asked).filter((text) => text !== undefined)
  if (found.length > 0)
    throw new UsageError(
      `the results were not made as the config asks: they differ in ${found.join('; ')}; evaluate with the same config`,
    )
}

type Attacked = Pick<Conditions, 'suite' | 'threats' | 'seed'>

function attackDifferences(candidate: Attacked, baseline: Attacked): readonly (string | undefined)[] {
  return [
    difference('suite', candidate, baseline, ({ suite }) => `${suite.name}@${suite.version}`),
    difference('attacks', candidate, baseline, ({ suite }) => suite.attacks.filter(isOfSuite).map(canonical).join(' ')),
    difference('quantised', candidate, baseline, ({ suite }) => String(suite.quantised ?? false)),
    difference('threats', candidate, baseline, ({ threats }) => threats.map(canonical).join(' ')),
    difference('seed', candidate, baseline, ({ seed }) => String(seed)),
  ]
}

/** Refuses two results that cannot be paired image by image, as `assertSameConditions` does. */
export function assertComparable(candidate: Results, baseline: Results): void {
  for (const results of [candidate, baseline]) assertComplete(results)
  assertSameConditions(candidate, baseline)
  refuseIfAny([difference('images', candidate, baseline, ({ samples }) => `${samples.length} images`)])
  candidate.samples.forEach((sample, place) => {
    const other = baseline.samples[place]
    if (sample.index !== other.index || sample.label !== other.label)
      throw new UsageError(
        `the results of candidate and baseline cannot be compared: entry ${place} is image ${sample.index} with label ${sample.label} in one and image ${other.index} with label ${other.label} in the other; evaluate both on the same images`,
      )
  })
}

/** What stands in for the attacks of a suite, where a model has no gradient, makes it no other suite. */
function isOfSuite({ fallback }: Results['suite']['attacks'][number]): boolean {
  return fallback !== true
}

function refuseIfAny(differences: readonly (string | undefined)[]): void {
  const found = differences.filter((text) => text !== undefined)
  if (found.length > 0)
    throw new UsageError(
      `the results of candidate and baseline cannot be compared: they differ in ${found.join('; ')}; evaluate both with the same data, suite, threats and seed`,
    )
}

function difference<T>(name: string, candidate: T, baseline: T, read: (results: T) => string): string | undefined {
  const [ours, theirs] = [read(candidate), read(baseline)]
  return ours === theirs ? undefined : `${name} (${shown(ours)} and ${shown(theirs)})`
}

/** One line of bounded length, whatever the file said. */
function shown(text: string): string {
  const line = text.replace(/[\p{C}\s]+/gu, ' ')
  return line.length <= 80 ? line : `${line.slice(0, 77)}…`
}

/** The same text for the same value, in whatever order its keys were written. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([one], [other]) => (one < other ? -1 : 1)))
      : part,
  )
}

/** Refuses results with images or threats left out, and those that contradict themselves. */
export function assertComplete({ samples, data, model, threats }: Results): void {
  const name = shown(model.name)
  if (samples.length < data.samples)
    throw new UsageError(
      `the results of ${name} hold ${samples.length} of ${data.samples} images: merge all shards before comparing`,
    )
  samples.forEach((sample, place) => {
    if (place > 0 && sample.index <= samples[place - 1].index)
      throw new UsageError(
        `the results of ${name} list image ${sample.index} twice or out of order: evaluate the model again`,
      )
    for (const { id } of threats) {
      const threat = sample.threats[id]
      if (threat === undefined)
        throw new UsageError(
          `the results of ${name} say nothing about image ${sample.index} under ${shown(id)}: evaluate the model again`,
        )
      const unbroken = isCorrect(sample) && Object.values(threat.attacks).every(({ success }) => !success)
      if (threat.robust !== unbroken)
        throw new UsageError(
          `the results of ${name} contradict themselves: image ${sample.index} is ${threat.robust ? '' : 'not '}robust under ${shown(id)}, but its attacks say otherwise; evaluate the model again`,
        )
    }
  })
}
