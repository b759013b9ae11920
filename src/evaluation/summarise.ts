import type { SampleOutcome } from '../engine/messages.js'
import type { Results } from './results.js'

type Summary = Results['summary']

/** What the outcomes were asked about: ids in the order in which they are shown. */
export interface Asked {
  readonly threats: readonly { readonly id: string }[]
  readonly attacks: readonly { readonly id: string }[]
  readonly classNames?: readonly string[]
}

/**
 * Counts and accuracies (fractions of 1) of outcomes. An attack's accuracy is that of images that are right and that it
 * was run on in vain; an attack for survivors only was not run on what an earlier one broke, so those count as broken.
 */
export function summarise(samples: readonly SampleOutcome[], asked: Asked): Summary {
  const correct = samples.filter(isCorrect)
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
              { accuracy: fraction(correct.filter((sample) => withstands(sample, threat.id, attack.id))) },
            ]),
          ),
        },
      ]),
    ),
    classes: classes(samples, asked),
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

const isCorrect = (sample: SampleOutcome) => sample.predicted === sample.label

const isRobust = (sample: SampleOutcome, threat: string) => sample.threats[threat]?.robust === true

const withstands = (sample: SampleOutcome, threat: string, attack: string) =>
  sample.threats[threat]?.attacks[attack]?.success === false
