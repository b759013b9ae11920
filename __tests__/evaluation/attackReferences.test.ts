import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { AttackSchema } from '../../src/config/attackSchemas.js'
import type { Norm } from '../../src/config/types.js'
import { evaluate } from '../../src/evaluation/evaluate.js'
import type { Results } from '../../src/evaluation/results.js'
import { effectsOf, realChildren, requestOf } from './support.js'
import { dataset, fixture, model } from '../engine/support/fixtures.js'

/** What foolbox, torchattacks and ART did to the first 200 images (scripts/reference/attacks.py). */
interface Entry {
  readonly model: string
  readonly library: string
  /** Its settings, in our words. */
  readonly attack: { readonly name: string }
  readonly norm: Norm
  readonly epsilon: number
  /** Of attacks in a ball: images left robust. */
  readonly robust?: readonly number[]
  /** Of attacks that look for the least distance: of each image that the model is right on. */
  readonly distances?: readonly (number | null)[]
}

const { entries } = JSON.parse(fixture('attacks/reference.json').toString()) as { readonly entries: readonly Entry[] }
const data = dataset('fashion/fashion-test.npz', 200)
const worker = fileURLToPath(new URL('../../.build/engine/worker.js', import.meta.url))

/** Several libraries have the same attack: it is run once for all of them. */
const idOf = ({ attack }: Entry): string => `a${[...new Set(entries.map(written))].indexOf(written({ attack }))}`
const written = ({ attack }: Pick<Entry, 'attack'>): string => JSON.stringify(attack)

/** All that is asked of one model in one ball, in one evaluation. */
async function attackAll(told: readonly Entry[]): Promise<Results> {
  const [{ model: name, norm, epsilon }] = told
  const attacks = new Map(told.map((entry) => [idOf(entry), AttackSchema.parse(entry.attack)]))
  const suite = { name: 'references', version: 1, attacks: [...attacks].map(([id, spec]) => ({ ...spec, id })) }
  const rest = {
    model: model(`fashion/${name}.onnx`),
    dataset: data,
    threats: [{ id: 'threat', norm, epsilon }],
    suite,
  }
  const limits = { seconds: 1800, batch: 64, workers: 2 }
  return evaluate(requestOf(data.samples, {}, { ...rest, limits }), effectsOf(realChildren(worker).startChild))
}

/** What an attack did to each image that the model is right on. */
function outcomesIn({ samples }: Results, entry: Entry) {
  return samples
    .filter(({ predicted, label }) => predicted === label)
    .map(({ threats }) => threats.threat.attacks[idOf(entry)])
}

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
}

/** On this model one start of Square is a draw of luck, whosever it is: squareReferences.test.ts compares means over several. */
const isDrawOfLuck = ({ model: name, attack, norm }: Entry): boolean =>
  name === 'fashion-hardened' && attack.name === 'square' && norm === 'l2'

const isInBall = ({ robust }: Entry): boolean => robust !== undefined

describe.each(
  ['fashion-standard', 'fashion-hardened'].flatMap((name) =>
    (['linf', 'l2', 'l1'] as const).map((norm) => [name, norm] as const),
  ),
)('%s in %s', (name, norm) => {
  const told = entries.filter((entry) => entry.model === name && entry.norm === norm && !isDrawOfLuck(entry))
  const titled = (chosen: readonly Entry[]) =>
    chosen.map((entry) => [`${entry.attack.name} as ${entry.library} has it`, entry] as const)

  let results: Results
  beforeAll(async () => {
    results = await attackAll(told)
  }, 1_800_000)

  test.each(titled(told.filter(isInBall)))('%s leaves at most one image more here than there', (_, entry) => {
    const left = outcomesIn(results, entry).filter(({ success }) => !success).length
    const theirs = entry.robust?.length ?? 0
    expect(left).toBeLessThanOrEqual(theirs + 1)
    // Random starts win or lose some images. Under L1 we project to the nearest point, foolbox scales and clips, which leaves 19
    // and 26 images more; a single step from the image is the same. Everything else is the same computation.
    const isSame =
      !['apgd', 'apgd-t', 'square'].includes(entry.attack.name) && (norm !== 'l1' || entry.attack.name === 'fgsm')
    if (isSame) expect(left).toBeGreaterThanOrEqual(theirs - 1)
  })

  // That the points fool and are as near as is said is tested elsewhere: so less than theirs is never too little.
  test.each(titled(told.filter((entry) => !isInBall(entry))))(
    '%s goes at most 5 %% farther in the median',
    (_, entry) => {
      const outcomes = outcomesIn(results, entry)
      const ours = median(outcomes.map(({ nearest = Infinity }) => nearest))
      const theirs = median((entry.distances ?? []).map((distance) => distance ?? Infinity))
      expect(outcomes).toHaveLength(entry.distances?.length ?? 0)
      expect(theirs).toBeLessThan(Infinity)
      expect(ours).toBeLessThanOrEqual(1.05 * theirs)
    },
  )
})
