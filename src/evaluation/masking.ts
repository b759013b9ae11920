import type { Flag, SampleOutcome } from '../engine/messages.js'

/** The share of correctly classified images from which on a model without useful gradients is called masked. */
const MASKED_SHARE = 0.05

/**
 * A model whose gradients tell the attacks nothing on more than a few images looks robust without being tested
 * (Athalye, Carlini and Wagner 2018): then its robust accuracy is no evidence, and a flag says so.
 */
export function maskingFlags(flags: readonly Flag[], samples: readonly SampleOutcome[]): readonly Flag[] {
  const untested = flags.filter(({ code }) => code === 'no-gradient').flatMap(({ samples: images = [] }) => images)
  const right = samples.filter(({ label, predicted }) => label === predicted).length
  if (untested.length === 0 || untested.length < MASKED_SHARE * right) return []
  const message = `The gradients of the model are masked: on ${untested.length} of ${right} correctly classified images none of them told the attacks a direction, so that these images count as robust says nothing.`
  return [{ code: 'masked-gradients', message, samples: untested.toSorted((a, b) => a - b) }]
}
