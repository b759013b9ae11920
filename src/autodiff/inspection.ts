import { z } from 'zod'

/** An input or output. */
export const ValueSchema = z.object({
  name: z.string(),
  type: z.string(),
  dims: z.array(z.union([z.int(), z.string()])).optional(),
})

/** What `inspect` tells of a model. */
export const InspectionSchema = z.object({
  name: z.string(),
  bytes: z.int().min(0),
  /** Version by domain; '' is ai.onnx. */
  opsets: z.record(z.string(), z.int()),
  inputs: z.array(ValueSchema),
  outputs: z.array(ValueSchema),
  /** The output that is read, where there are several. */
  scores: z.string().optional(),
  /** Numbers in weights. */
  parameters: z.int().min(0),
  /** In the newest form of the standard, most frequent first. */
  operators: z.array(
    z.object({
      operator: z.string(),
      count: z.int().min(1),
      /**
       * `subgradient`: one of the possible slopes at kinks. `straight-through`: that of a smooth stand-in. `none`: its output
       * is whole numbers, truth values or shapes, and nothing flows. `missing`: there is no rule yet.
       */
      gradient: z.enum(['rule', 'subgradient', 'straight-through', 'none', 'missing']),
      /** Names of a few nodes, where the gradient is missing. */
      nodes: z.array(z.string()).optional(),
    }),
  ),
  /** `without-gradients`: by attacks that need none alone, and robust accuracy is an upper bound. */
  attackable: z.enum(['yes', 'without-gradients', 'no']),
  /** What keeps the model, or its gradient, from being attacked, one sentence each; empty when nothing does. */
  problems: z.array(z.string()),
  /**
   * What an evaluation is going to say of the model, whose gradient was made to know it; undefined where the sizes of an image
   * are free, and the names of its operators are all that was looked at.
   */
  flags: z.array(z.object({ code: z.string(), message: z.string() })).optional(),
})

export type Inspection = z.infer<typeof InspectionSchema>
export type InspectedValue = z.infer<typeof ValueSchema>
