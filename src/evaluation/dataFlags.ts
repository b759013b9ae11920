import { flagMessage } from '../engine/flagTable.js'
import type { Flag, SampleOutcome } from '../engine/messages.js'
import type { Sign } from '../engine/signs.js'
import { isCorrect } from './summarise.js'

/** Fewer images than this agree by chance. */
const LEAST = 10

/**
 * Labels that are the model's classes but for a shift by one, as where a model counts its background as class 0: the
 * prediction is the label ± 1 on most images, and the label itself on few.
 */
export function labelShift(samples: readonly SampleOutcome[]): readonly Flag[] {
  const right = samples.filter(isCorrect).length
  return ([1, -1] as const).flatMap((shift): readonly Flag[] => {
    const hits = samples.filter(({ label, predicted }) => predicted === label + shift)
    // Two classes that are taken for one another, all images of one class: neither is a shift.
    const labels = new Set(hits.map(({ label }) => label))
    if (labels.size < 3 || hits.length < Math.max(LEAST, 3 * right, samples.length / 2)) return []
    const found = `The prediction is the label ${shift === 1 ? 'plus' : 'minus'} 1 on ${hits.length} of ${samples.length} images, and the label on ${right}`
    return [{ code: 'label-shift', message: flagMessage('label-shift', found), samples: indices(hits) }]
  })
}

/**
 * Labels that count the classes of the data alone, where the model has more of them, as those of ten classes of ImageNet may
 * be numbered 0 to 9: most predictions are beyond every label.
 */
export function labelRange(samples: readonly SampleOutcome[]): readonly Flag[] {
  const right = samples.filter(isCorrect).length
  const labels = new Set(samples.map(({ label }) => label))
  const greatest = samples.reduce((most, { label }) => Math.max(most, label), 0)
  const beyond = samples.filter(({ predicted }) => predicted > greatest)
  if (labels.size < 3 || beyond.length < Math.max(LEAST, 3 * right, samples.length / 2)) return []
  const found = `The prediction is a class beyond every label (${greatest} at most) on ${beyond.length} of ${samples.length} images, and the label on ${right}`
  return [{ code: 'label-range', message: flagMessage('label-range', found), samples: indices(beyond) }]
}

/** What the model seems to have been trained on, where it is right on pixels in that range and wrong as it was fed. */
const RANGES: readonly (readonly [Sign, string])[] = [
  ['right-at-0-255', 'pixels of 0 … 255'],
  ['right-at-0-1', 'pixels of 0 … 1'],
  ['right-at-minus-1-1', 'pixels of −1 … 1'],
  ['right-with-imagenet', 'pixels with the mean and standard deviation of ImageNet'],
]

/** Of the diagnosed images, a third at least is misclassified, and at least half of those are right in another range. */
export function wrongRange(samples: readonly SampleOutcome[]): readonly Flag[] {
  const diagnosed = samples.filter((sample) => sample.diagnosed === true)
  const wrong = diagnosed.filter((sample) => !isCorrect(sample))
  if (wrong.length < LEAST || 3 * wrong.length < diagnosed.length) return []
  const [[, range, hits]] = RANGES.map(([sign, name]) => {
    return [sign, name, wrong.filter(({ signs = [] }) => signs.includes(sign))] as const
  }).toSorted(([, , one], [, , other]) => other.length - one.length)
  if (2 * hits.length < wrong.length) return []
  const found = `Of ${wrong.length} images the model is wrong on, it is right on ${hits.length} when it is fed ${range}`
  return [{ code: 'wrong-range', message: flagMessage('wrong-range', found), samples: indices(hits) }]
}

function indices(samples: readonly SampleOutcome[]): number[] {
  return samples.map(({ index }) => index).toSorted((one, other) => one - other)
}
