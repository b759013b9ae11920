import { z } from 'zod'

/**
 * What one image showed of the model while it was attacked. A sign is a fact of one image and of nothing else, so shards,
 * batches and the order of the images leave no trace in it; what signs mean together is decided by `evaluation/flags.ts`.
 */
export const SIGNS = [
  /** Every output of the model was NaN, on the image or under attack. */
  'no-prediction',
  /** Every gradient was zero, NaN or infinite everywhere, and the image withstood some threat. */
  'no-gradient',
  /** A gradient held NaN or an infinity. */
  'non-finite-gradient',
  /** The logits that attacks see are not negative and sum to 1. */
  'probability-logits',
  /** The image withstood an attack whose loss was still rising when it ended. */
  'loss-rising',
  /** The pixels lie within a fiftieth of the declared range. */
  'narrow-pixels',
  /** Only search without gradients broke the image; an attack with them that had no turn because of it does so, too. */
  'gradients-break-too',

  // The rest only images that were marked for a diagnosis can show.

  /** The same image again got other outputs. */
  'unstable-logits',
  /** An attack with more steps, from another start, broke what the suite had left robust. */
  'more-steps',
  /** A short search without gradients broke what the suite had left robust. */
  'gradient-free-wins',
  /** Gradients found no way to fool the model in a ball that holds the grey image, though that one fools it. */
  'robust-at-huge-epsilon',
  /** An attack that broke the image at ε did not at 2ε. */
  'unbroken-at-double-epsilon',
  /** The model is wrong on the image, but right on the same image in the range 0 … 255. */
  'right-at-0-255',
  /** … in the range 0 … 1. */
  'right-at-0-1',
  /** … in the range −1 … 1. */
  'right-at-minus-1-1',
  /** … with the mean and the standard deviation of ImageNet. */
  'right-with-imagenet',
] as const

export type Sign = (typeof SIGNS)[number]

export const SignSchema = z.enum(SIGNS)
