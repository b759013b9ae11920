import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import { attacksOf } from './attacksOf.js'
import { contradiction } from './checkOutcome.js'
import { ResultsSchema } from './results.js'
import type { Results } from './results.js'
import { contradictionInShard } from './shards.js'
import { summarise } from './summarise.js'

/** A million images with a full suite stay below; V8 holds no string over 512 MiB. */
const LONGEST_TEXT = 2 ** 28

/** Fractions go through decimal text and may come from another program. */
const ROUNDING = 1e-9

const REMEDY = 'make it again with `robustness-gate evaluate`'

/**
 * Reads the results.json of a whole evaluation; see `parseAnyResults`.
 *
 * @throws UsageError for those of a shard, too
 */
export function parseResults(text: string, name: string): Results {
  const results = parseAnyResults(text, name)
  if (results.shard === undefined) return results
  const { index, count } = results.shard
  throw new UsageError(
    `${name}: holds shard ${index}/${count} of the images only; join all ${count} with \`robustness-gate merge\``,
  )
}

/**
 * Reads a results.json, of all images or of a shard, which may be a stranger's: nothing in it may contradict the rest,
 * because the comparison takes its images and the report its summary.
 *
 * @param name of the file, for messages
 * @throws UsageError that names the first place that is wrong
 */
export function parseAnyResults(text: string, name: string): Results {
  if (text.length > LONGEST_TEXT)
    throw new UsageError(`${name}: has over ${LONGEST_TEXT / 2 ** 20} million characters; give a results file`)
  const parsed = ResultsSchema.safeParse(parseJson(text, name))
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]
    throw wrong(name, `${place(path)}: ${message}`)
  }
  const problem = contradictionIn(parsed.data)
  if (problem !== undefined) throw wrong(name, problem)
  return parsed.data
}

/** JSON with one image a line: small, and a difference between two files shows the images that differ. */
export function formatResults(results: Results): string {
  const members = Object.entries(results).map(([key, value]) => {
    const text = key === 'samples' ? onePerLine(results.samples) : JSON.stringify(value, null, 2)
    return `  ${JSON.stringify(key)}: ${text.replaceAll('\n', '\n  ')}`
  })
  return `{\n${members.join(',\n')}\n}\n`
}

function onePerLine(values: readonly unknown[]): string {
  return `[\n${values.map((value) => `  ${JSON.stringify(value)}`).join(',\n')}\n]`
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new UsageError(`${name}: is not JSON (${oneLine(String(error), 200)}); give a results.json, or ${REMEDY}`)
  }
}

function wrong(name: string, problem: string): UsageError {
  return new UsageError(`${name}: is no valid results file; ${oneLine(problem, 300)}; ${REMEDY}`)
}

/** `samples[3].threats.linf-0.1` */
function place(path: readonly PropertyKey[]): string {
  const steps = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
  return steps.join('').replace(/^\./, '') || 'the whole'
}

function contradictionIn(results: Results): string | undefined {
  const { samples, threats, suite, data, model, summary } = results
  const repeated = repeats(threats.map(({ id }) => id)) ?? repeats(suite.attacks.map(({ id }) => id))
  if (repeated !== undefined) return `the id ${repeated} stands for two things`
  if (samples.length > data.samples) return `samples: ${samples.length} of ${data.samples} images`
  const attacks = attacksOf(results)
  for (const [position, sample] of samples.entries()) {
    const at = `samples[${position}]`
    if (sample.index >= data.samples) return `${at}.index: ${sample.index} of ${data.samples} images`
    if (position > 0 && sample.index <= samples[position - 1].index) return `${at}.index: not in ascending order`
    const expected = { classes: model.classes, threats, attacks }
    const problem = contradiction(sample, sample.label, expected)
    if (problem !== undefined) return `${at}: ${problem}`
  }
  const indices = samples.map(({ index }) => index)
  const misplaced = results.shard && contradictionInShard(results.shard, data.samples, indices)
  if (misplaced !== undefined) return misplaced
  const { curves, ...counted } = summarise(samples, { threats, attacks, classNames: data.classNames })
  // Files made before there were curves have none.
  const differing = difference({ ...counted, ...(summary.curves && { curves }) }, summary, 'summary')
  return differing === undefined ? undefined : `${differing} is not what the samples say`
}

function repeats(ids: readonly string[]): string | undefined {
  return ids.find((id, position) => ids.indexOf(id) !== position)
}

/** The path of the first leaf in which two plain values differ. */
function difference(expected: unknown, actual: unknown, path: string): string | undefined {
  if (typeof expected === 'number' && typeof actual === 'number')
    return Math.abs(expected - actual) <= ROUNDING ? undefined : path
  if (!isObject(expected) || !isObject(actual)) return expected === actual ? undefined : path
  for (const key of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const found = difference(expected[key], actual[key], `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
