/**
 * Every code a flag may have: where it comes from, what it means for the robust accuracy beside it, and what to do.
 * docs/flags.md says the same at length.
 */
export interface FlagEntry {
  /** `model`: found when the model is loaded. `images`: counted from the signs and outcomes of images. */
  readonly from: 'model' | 'images'
  /**
   * `fact`: nothing is wrong. `fault`: the numbers may mean something else than they seem to. `masked`: the gradients do not
   * lead the attacks, robust accuracy is an upper bound only, and a verdict that would be `pass` is `inconclusive`.
   */
  readonly kind: 'fact' | 'fault' | 'masked'
  /** A sentence without its full stop: an imperative. */
  readonly remedy?: string
}

const LOOK =
  'look for steps without a useful derivative and for values that saturate, and attack what stands before them'

export const FLAGS = {
  'straight-through': { from: 'model', kind: 'fact' },
  'loss-fallback': { from: 'model', kind: 'fact' },
  'several-cpus': { from: 'model', kind: 'fact' },
  randomness: {
    from: 'model',
    kind: 'fault',
    remedy:
      'attack with the suite autoattack-rand, which averages gradients, or export the model without the randomness',
  },
  'batch-dependent': {
    from: 'model',
    kind: 'fault',
    remedy: 'export the model in inference mode, with the scales of quantised inputs fixed',
  },
  'unknown-steps': {
    from: 'model',
    kind: 'fault',
    remedy:
      'export the model with a DequantizeLinear at its end, or attack with autoattack, too, most of which no unit changes',
  },
  'runtime-optimisation': {
    from: 'model',
    kind: 'fault',
    remedy: 'use it without them, too, or export it with other operators',
  },
  'no-gradient-rule': {
    from: 'model',
    kind: 'masked',
    remedy: 'take its robust accuracy for an upper bound',
  },

  'no-prediction': { from: 'images', kind: 'fault', remedy: 'look for overflow, square roots and logarithms' },
  'no-gradient': { from: 'images', kind: 'fault', remedy: 'attack with the margin loss, too' },
  'non-finite-gradient': {
    from: 'images',
    kind: 'fault',
    remedy: 'look for square roots at 0, divisions by 0 and exponentials that overflow',
  },
  'probability-logits': {
    from: 'images',
    kind: 'fault',
    remedy: 'export the model with its logits: behind a second Softmax gradients are small, and attacks weak',
  },
  'unstable-logits': {
    from: 'images',
    kind: 'fault',
    remedy: 'attack with the suite autoattack-rand, or export the model in inference mode',
  },
  'loss-rising': { from: 'images', kind: 'fault', remedy: 'attack with more steps' },
  'more-steps': { from: 'images', kind: 'fault', remedy: 'attack with more steps and restarts, or with autoattack' },
  'label-shift': { from: 'images', kind: 'fault', remedy: 'number the labels of the data as the model does' },
  'label-range': { from: 'images', kind: 'fault', remedy: 'number the labels of the data as the model does' },
  'wrong-range': {
    from: 'images',
    kind: 'fault',
    remedy: 'declare the range the data are in (range) and what the model was trained on (mean, std)',
  },
  'narrow-range': { from: 'images', kind: 'fault', remedy: 'declare the range the pixels are in (range)' },

  // Raised by a comparison, of the model whose images were broken.
  transfer: { from: 'images', kind: 'fault', remedy: 'attack with a stronger suite, such as autoattack' },

  'masked-gradients': { from: 'images', kind: 'masked', remedy: LOOK },
  'single-step-wins': { from: 'images', kind: 'masked', remedy: LOOK },
  'robust-at-huge-epsilon': { from: 'images', kind: 'masked', remedy: LOOK },
  'accuracy-rises': { from: 'images', kind: 'masked', remedy: LOOK },
} as const satisfies Readonly<Record<string, FlagEntry>>

export type FlagCode = keyof typeof FLAGS

/** What is known of a code; nothing of one that a newer version wrote. */
export function flagEntry(code: string): FlagEntry | undefined {
  return isFlagCode(code) ? FLAGS[code] : undefined
}

/** Whether a flag says that robust accuracy is an upper bound only. The one place where that is decided is FLAGS. */
export function meansMasked({ code }: { readonly code: string }): boolean {
  return flagEntry(code)?.kind === 'masked'
}

/** A flag's message: what was found, and what to do. Both are sentences without their full stops. */
export function flagMessage(code: FlagCode, found: string): string {
  const { remedy } = FLAGS[code] as FlagEntry
  return remedy === undefined ? `${found}.` : `${found}: ${remedy}.`
}

function isFlagCode(code: string): code is FlagCode {
  return Object.hasOwn(FLAGS, code)
}
