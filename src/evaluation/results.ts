import { z } from 'zod'
import { FlagSchema, SampleOutcomeSchema } from '../engine/messages.js'

/** `results.json`: one model, one suite, one dataset. Fields may be added; none is renamed. Published as schema/results-1.json. */

const count = z.int().min(0)
const accuracy = z.number().min(0).max(1)
const sha256 = z.string().regex(/^[0-9a-f]{64}$/)

export const ThreatSchema = z.object({
  id: z.string(),
  norm: z.enum(['linf', 'l2', 'l1']),
  epsilon: z.number().positive(),
  bounds: z.tuple([z.number(), z.number()]),
})

const curve = z.object({
  /** In ascending order of ε, from 0 on. Accuracy: of all images, those that are right and that nothing is known to fool within ε. */
  points: z.array(z.object({ epsilon: z.number().min(0), accuracy })).min(1),
  /** Images that are right and have a known adversarial example, at whatever distance. */
  fooled: count,
  /** Within it, half of the images that are right are fooled; missing where that is not known of half of them. */
  medianDistance: z.number().min(0).optional(),
})

export const ResultsSchema = z.object({
  schema: z.literal('robustness-gate/results/1'),
  tool: z.object({ version: z.string(), engine: z.string(), cpu: z.string(), batch: z.int().min(1) }),
  model: z.object({
    name: z.string(),
    sha256,
    bytes: count,
    classes: z.int().min(2),
    /** False: it could not be made, so only the attacks of the suite that need none were run. */
    gradient: z.literal(false).optional(),
  }),
  data: z.object({ name: z.string(), sha256, samples: z.int().min(1), classNames: z.array(z.string()).optional() }),
  suite: z.object({
    name: z.string(),
    version: z.int(),
    /** `fallback`: not of the suite; added because the model has no gradient, and the suite no attack that needs none. */
    attacks: z.array(z.looseObject({ id: z.string(), name: z.string(), fallback: z.literal(true).optional() })),
    /** Only points of 8 bits counted as witnesses. */
    quantised: z.boolean().optional(),
  }),
  threats: z.array(ThreatSchema).min(1),
  seed: z.int(),
  /** Of an evaluation in parts: which part this is, from 1, of how many. It holds the images whose index modulo count is index − 1. */
  shard: z.object({ index: z.int().min(1), count: z.int().min(1) }).optional(),
  preprocessing: z.looseObject({}).optional(),
  summary: z.object({
    clean: z.object({ correct: count, samples: count, accuracy }),
    /** By threat id. An attack's accuracy alone: of all images, those that are right and that this attack did not break (survivorsOnly: nor any before it). */
    threats: z.record(
      z.string(),
      z.object({ robustAccuracy: accuracy, attacks: z.record(z.string(), z.object({ accuracy })) }),
    ),
    /** By label, in ascending order; only labels that occur. `robust` by threat id. */
    classes: z.array(
      z.object({
        label: count,
        name: z.string().optional(),
        samples: count,
        correct: count,
        robust: z.record(z.string(), count),
      }),
    ),
    /** Upper bounds of robust accuracy as functions of ε, where more than one ε is known of a norm: see curves.ts. */
    curves: z.object({ linf: curve.optional(), l2: curve.optional(), l1: curve.optional() }).optional(),
  }),
  /** In ascending order of index. */
  samples: z.array(SampleOutcomeSchema).min(1),
  flags: z.array(FlagSchema),
  cost: z.object({ seconds: z.number(), forwards: count, gradients: count }),
})

export type Results = z.infer<typeof ResultsSchema>
export type Threat = z.infer<typeof ThreatSchema>
/** What `evaluation/` gives and everything after it works from. */
export type Evaluation = Results
