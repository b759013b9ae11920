import { z } from 'zod'
import { FlagSchema } from '../engine/messages.js'
import { ResultsSchema, ThreatSchema } from '../evaluation/results.js'
import type { Comparison } from './types.js'

/** `comparison.json`. Fields may be added; none is renamed. Published as schema/comparison-1.json. */

const count = z.int().min(0)
const fraction = z.number().min(0).max(1)
const points = z.number().min(-100).max(100)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const role = z.enum(['baseline', 'candidate'])

const modelSummary = z.object({
  name: z.string(),
  sha256,
  bytes: count,
  cleanAccuracy: fraction,
  robustAccuracy: z.record(z.string(), fraction),
  attacks: z.record(z.string(), z.record(z.string(), fraction)),
  curves: ResultsSchema.shape.summary.shape.curves,
  tool: ResultsSchema.shape.tool,
})

const policy = z.object({
  maxRobustDrop: z.number(),
  maxCleanDrop: z.number(),
  cleanBudget: z.number(),
  minRobustAccuracy: fraction.optional(),
  minCleanAccuracy: fraction.optional(),
  decision: z.enum(['significant', 'observed']),
  significance: z.number(),
  failOn: z.enum(['regression', 'inconclusive', 'never']),
  onMissingBaseline: z.enum(['pass', 'fail']).optional(),
})

const pairedRow = z.object({
  id: z.string(),
  kind: z.enum(['clean', 'worst-case', 'attack']),
  threat: z.string().optional(),
  attack: z.string().optional(),
  survivorsOnly: z.boolean().optional(),
  title: z.string(),
  decides: z.boolean(),
  samples: count,
  baseline: count,
  candidate: count,
  lost: z.array(count),
  gained: z.array(count),
  drop: points,
  interval: z.tuple([points, points]),
  allowed: z.number(),
  pValue: fraction,
  adjustedPValue: fraction.optional(),
  mcnemar: fraction,
  detectable: points.optional(),
  samplesNeeded: count.optional(),
})

const classChange = z.object({
  label: count,
  name: z.string().optional(),
  threat: z.string(),
  samples: count,
  baseline: count,
  candidate: count,
})

export const baselineStateSchema = z.enum(['present', 'none', 'missing', 'expired', 'broken', 'different'])

export const transferSchema = z.array(
  z.object({ from: role, to: role, threat: z.string(), tried: count, fooled: z.array(count) }),
)

const verdict = z.object({
  outcome: z.enum(['pass', 'regression', 'inconclusive', 'error']),
  reasons: z.array(z.object({ code: z.string(), message: z.string(), row: z.string().optional() })),
  baseline: baselineStateSchema,
  why: z.string().optional(),
  acceptance: z
    .object({
      who: z.string(),
      when: z.string(),
      label: z.string().optional(),
      pullRequest: count.optional(),
      byAuthor: z.boolean().optional(),
      reported: z.string().optional(),
    })
    .optional(),
  appeal: z.string().optional(),
  fails: z.boolean(),
})

const origin = z.object({
  name: z.string(),
  sha256,
  commit: z.string().optional(),
  how: z.string().optional(),
  recalled: z.literal(true).optional(),
})

export const originsSchema = z.object({ candidate: origin.optional(), baseline: origin.optional() })

export const dataSchema = z.object({ name: z.string(), sha256, samples: count })

export const comparisonSchema: z.ZodType<Comparison> = z.object({
  schema: z.literal('robustness-gate/comparison/1'),
  candidate: modelSummary.optional(),
  baseline: modelSummary.optional(),
  data: dataSchema.optional(),
  suite: z
    .object({
      name: z.string(),
      version: z.int(),
      attacks: z.array(z.object({ id: z.string(), survivorsOnly: z.boolean().optional() })).optional(),
    })
    .optional(),
  threats: z.array(ThreatSchema),
  seed: z.int().optional(),
  policy: policy.optional(),
  rows: z.array(pairedRow),
  classes: z.array(classChange),
  flags: z.array(FlagSchema.extend({ model: role })),
  origins: originsSchema.optional(),
  transfer: transferSchema.optional(),
  verdict,
  failure: z.object({ model: role.optional(), message: z.string() }).optional(),
})
