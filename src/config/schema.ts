import { z } from 'zod'
import { UsageError } from '../errors.js'
import { epsilons, norm } from './epsilon.js'
import { quote } from './keys.js'
import { namedSuite, SuiteSchema } from './suites.js'
import type { Layout } from './types.js'
import {
  choice,
  flag,
  fraction,
  list,
  number,
  points,
  range,
  recordOf,
  schemaOf,
  size,
  text,
  wholeNumber,
} from './values.js'

const layouts: readonly Layout[] = ['nchw', 'nhwc', 'flat']
const channelOrders = ['rgb', 'bgr'] as const

const path = schemaOf(text)
const numbers = schemaOf((value) => list(value, (part) => number(part)))
const deviations = schemaOf((value) => list(value, (part) => number(part, { min: 0, exclusive: true })))

/**
 * Every setting and every default, flat: the keys of a config file, and in kebab-case those of flags and action inputs.
 * What an input means is told in the README.
 */
export const settings = {
  model: path.optional(),
  baseline: path.optional(),

  data: path.optional(),
  samples: schemaOf((value) => wholeNumber(value, { min: 1 })).optional(),
  range: schemaOf(range).default([0, 1]),
  layout: schemaOf(choice(layouts)).default('nchw'),
  shape: schemaOf((value) => list(value, (part) => wholeNumber(part, { min: 1 }))).optional(),
  resize: schemaOf((value) => wholeNumber(value, { min: 1, max: 10_000 })).optional(),
  crop: schemaOf(size).optional(),
  channels: schemaOf(choice(['auto', 'rgb', 'gray'])).default('auto'),
  classNames: path.optional(),
  labels: path.optional(),

  mean: numbers.default([0]),
  std: deviations.default([1]),
  inputLayout: schemaOf(choice(layouts)).optional(),
  channelOrder: schemaOf(choice(channelOrders)).default('rgb'),
  baselineMean: numbers.optional(),
  baselineStd: deviations.optional(),
  baselineInputLayout: schemaOf(choice(layouts)).optional(),
  baselineChannelOrder: schemaOf(choice(channelOrders)).optional(),

  norm: schemaOf(norm).default('linf'),
  epsilon: schemaOf(epsilons).default(epsilons('8/255')),
  threats: z
    .array(recordOf({ norm: schemaOf(norm), epsilon: schemaOf(epsilons) }), {
      error: 'must be a list like [{norm: linf, epsilon: 8/255}]',
    })
    .min(1, 'must not be empty')
    .max(16, 'are more than 16')
    .optional(),
  suite: SuiteSchema.default(namedSuite('standard@1')),
  quantised: schemaOf(flag).default(false),
  seed: schemaOf((value) => wholeNumber(value, { min: 0 })).default(0),

  maxRobustDrop: schemaOf(points).default(1),
  maxCleanDrop: schemaOf(points).default(1),
  cleanBudget: schemaOf(points).default(3),
  minRobustAccuracy: schemaOf(fraction).optional(),
  minCleanAccuracy: schemaOf(fraction).optional(),
  decision: schemaOf(choice(['significant', 'observed'])).default('significant'),
  significance: schemaOf((value) => number(value, { min: 0, max: 0.5, exclusive: true })).default(0.05),
  failOn: schemaOf(choice(['regression', 'inconclusive', 'never'])).default('regression'),
  onMissingBaseline: schemaOf(choice(['pass', 'fail'])).optional(),

  timeLimit: schemaOf((value) => number(value, { min: 1, max: 86_400 })).default(3600),
  workers: schemaOf((value) => wholeNumber(value, { min: 1, max: 256 })).optional(),
  batch: schemaOf(batchSize).default(64),
  executionProvider: schemaOf(choice(['cpu', 'cuda'])).default('cpu'),

  comment: schemaOf(choice(['always', 'on-change', 'on-failure', 'never'])).default('always'),
  checkName: schemaOf(checkName).default('Robustness gate'),
  acceptLabel: schemaOf(labelName).default('robustness-regression-accepted'),
}

/** Everybody who offers settings (flags, action inputs) asks here which there are. */
export const settingNames: readonly string[] = Object.keys(settings)

export const SettingsSchema = z.object(settings)
export type Settings = z.output<typeof SettingsSchema>

/** One image alone has one place; in other odd batches some onnxruntime kernels change a result's last bit with it. */
function batchSize(value: unknown): number {
  const batch = wholeNumber(value, { min: 1, max: 4096 })
  if (batch !== 1 && batch % 16 !== 0)
    throw new UsageError(`${quote(value)} is neither 1 nor a multiple of 16; take 64 or 128`)
  return batch
}

function checkName(value: unknown): string {
  const name = text(value).trim()
  if (name.length > 100) throw new UsageError(`${quote(name)} is longer than 100 characters`)
  return name
}

/** GitHub takes no longer ones. */
function labelName(value: unknown): string {
  const name = text(value).trim()
  if (name.length > 50) throw new UsageError(`${quote(name)} is longer than 50 characters`)
  return name
}
