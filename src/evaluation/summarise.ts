import type { SampleOutcome } from '../engine/messages.js'
import { curvesOf } from './curves.js'
import type { Results } from './results.js'

type Summary = Results['summary']

interface AskedAttack {
  readonly id: string
  /** Of results files, where it may be anything. */
  readonly survivorsOnly?: unknown
}

/** What the outcomes were asked about: ids in the order in which they are shown. */
export interface Asked {
  readonly threats: readonly Pick<Results['threats'][number], 'id' | 'norm' | 'epsilon'>[]
  readonly attacks: readonly AskedAttack[]
  readonly classNames?: readonly string[]
}

/** Counts and accuracies (fractions of 1) of outcomes. An attack's accuracy is that of the images that withstand it. */
export function summarise(samples: readonly SampleOutcome[], asked: Asked): Summary {
  const correct = samples.filter(isCorrect)
  const curves = curvesOf(samples, asked.threats)
  const fraction = (images: readonly SampleOutcome[]) => images.length / samples.length
  return {
    clean: { correct: correct.length, samples: samples.length, accuracy: fraction(correct) },
    threats: Object.fromEntries(
      asked.threats.map((threat) => [
        threat.id,
        {
          robustAccuracy: fraction(samples.filter((sample) => isRobust(sample, threat.id))),
          attacks: Object.fromEntries(
            asked.attacks.map((attack) => [
              attack.id,
              { accuracy: fraction(samples.filter((sample) => withstands(sample, threat.id, asked.attacks, attack))) },
            ]),
          ),
        },
      ]),
    ),
    classes: classes(samples, asked),
    ...(curves && { curves }),
  }
}

function classes(samples: readonly SampleOutcome[], { threats, classNames }: Asked): Summary['classes'] {
  const labels = [...new Set(samples.map((sample) => sample.label))].sort((a, b) => a - b)
  return labels.map((label) => {
    const members = samples.filter((sample) => sample.label === label)
    return {
      label,
      ...(classNames?.[label] === undefined ? {} : { name: classNames[label] }),
      samples: members.length,
      correct: members.filter(isCorrect).length,
      robust: Object.fromEntries(
        threats.map(({ id }) => [id, members.filter((sample) => isRobust(sample, id)).length]),
      ),
    }
  })
}

export function isCorrect(sample: SampleOutcome): boolean {
  return sample.predicted === sample.label
}

const isRobust = (sample: SampleOutcome, threat: string) => sample.threats[threat]?.robust === true

/**
 * Whether a sample counts for an attack alone: right, and not broken by it. One that gets only survivors counts with what came
 * before it in the suite; where it was not run the image was none, broken before or at a smaller ε.
 */
export function withstands<Attack extends AskedAttack>(
  sample: SampleOutcome,
  threat: string,
  attacks: readonly Attack[],
  attack: Attack,
): boolean {
  const outcomes = sample.threats[threat]?.attacks ?? {}
  const counted = attack.survivorsOnly === true ? attacks.slice(0, attacks.indexOf(attack) + 1) : [attack]
  const wasRun = attack.survivorsOnly !== true || Object.hasOwn(outcomes, attack.id)
  return isCorrect(sample) && wasRun && counted.every(({ id }) => outcomes[id]?.success !== true)
}
