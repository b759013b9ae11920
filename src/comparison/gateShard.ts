import { z } from 'zod'
import { UsageError } from '../errors.js'
import { oneLine } from '../text.js'
import { baselineStateSchema, dataSchema, originsSchema, transferSchema } from './schema.js'

/** `shard.json`: what a shard of a gate knows beside the results of its models. Fields may be added; none is renamed. */
const GateShardSchema = z.object({
  schema: z.literal('robustness-gate/shard/1'),
  /** The gate's check name: several gates of a workflow may be sharded. */
  gate: z.string().max(200),
  /** The commit that is judged. No commit can hold a file that names it, so none can bring its own results. */
  commit: z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/),
  shard: z.object({ index: z.int().min(1), count: z.int().min(1) }),
  baseline: baselineStateSchema,
  /** Why there is no baseline, where that needs words. */
  why: z.string().max(10_000).optional(),
  /** Sentences about where model, baseline, config and data came from. */
  notes: z.array(z.string().max(2_000)).max(100),
  /** The models, and where they came from. */
  origins: originsSchema.optional(),
  /** Where the model is unchanged and was not attacked: the data. There are no results then. */
  unattacked: dataSchema.optional(),
  /** What became of each model's adversarial examples on the other, of this shard's images. */
  transfer: transferSchema.optional(),
})

export type GateShard = Readonly<z.infer<typeof GateShardSchema>>

/** @throws UsageError when it is none. */
export function parseGateShard(text: string, name: string): GateShard {
  const parsed = GateShardSchema.safeParse(parseJson(text, name))
  if (parsed.success) return parsed.data
  const [{ path, message }] = parsed.error.issues
  throw wrong(name, `${path.map(String).join('.') || 'the whole'}: ${message}`)
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw wrong(name, String(error))
  }
}

function wrong(name: string, problem: string): UsageError {
  return new UsageError(`${name}: is not what a shard writes (${oneLine(problem, 200)}); run that shard again`)
}
