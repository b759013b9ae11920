import { attacksOf } from '../evaluation/attacksOf.js'
import type { Results } from '../evaluation/results.js'
import type { ComparedSuite, Comparison, ModelRole, ModelSummary } from './types.js'

/** What a comparison keeps of a model's results. */
export function modelSummary({ model, summary, tool }: Results): ModelSummary {
  const threats = Object.entries(summary.threats)
  return {
    name: model.name,
    sha256: model.sha256,
    bytes: model.bytes,
    cleanAccuracy: summary.clean.accuracy,
    robustAccuracy: Object.fromEntries(threats.map(([id, { robustAccuracy }]) => [id, robustAccuracy])),
    attacks: Object.fromEntries(
      threats.map(([id, { attacks }]) => [
        id,
        Object.fromEntries(Object.entries(attacks).map(([attack, { accuracy }]) => [attack, accuracy])),
      ]),
    ),
    ...(summary.curves && { curves: summary.curves }),
    tool,
  }
}

export function flagsOf(model: ModelRole, { flags }: Results): Comparison['flags'] {
  return flags.map((flag) => ({ model, ...flag }))
}

export function dataOf({ data, samples }: Results): NonNullable<Comparison['data']> {
  return { name: data.name, sha256: data.sha256, samples: samples.length }
}

export function suiteOf({ suite, model }: Results): ComparedSuite {
  const { name, version } = suite
  return {
    name,
    version,
    attacks: attacksOf({ suite, model }).map(({ id, survivorsOnly }) => ({
      id,
      ...(survivorsOnly === true && { survivorsOnly: true }),
    })),
  }
}
