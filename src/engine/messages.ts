import { z } from 'zod'
import { InspectionSchema } from '../autodiff/inspection.js'
import type { AttackSpec } from '../config/attackTypes.js'
import type { DataOptions, ExecutionProvider, Layout, Preprocessing, ThreatSpec } from '../config/types.js'
import type { RawData } from '../data/types.js'
import { SignSchema } from './signs.js'

/** The contract between parent and child. Both ends speak structured clones (typed arrays travel as they are). */

export interface ModelBytes {
  /** Shown in messages. */
  readonly name: string
  readonly bytes: Uint8Array
  /** External data files by the location the model names, resolved and read by the parent inside the model's folder. */
  readonly external: Readonly<Record<string, Uint8Array>>
}

export interface LoadRequest {
  readonly type: 'load'
  readonly model: ModelBytes
  readonly preprocessing: Preprocessing
  /** Of the dataset. */
  readonly shape: readonly number[]
  readonly layout: Layout
  readonly range: readonly [number, number]
  readonly threats: readonly ThreatSpec[]
  readonly attacks: readonly AttackSpec[]
  readonly seed: number
  /** Only points of 8 bits count as witnesses. */
  readonly quantised: boolean
  readonly batch: number
  /** What attacks and predictions run on; undefined: the processor. The gradient model is made on the processor anyway. */
  readonly executionProvider?: ExecutionProvider
  /** Send the worst point found of each broken image along. */
  readonly witnesses: boolean
}

export interface ImageTask {
  readonly index: number
  readonly label: number
  /** float32 [product(shape)] */
  readonly pixels: Float32Array
  /** Look closer: ask again, attack longer, without gradients, in a huge ball. It adds signs and changes nothing else. */
  readonly diagnose?: boolean
}

export type Request =
  | { readonly type: 'decode'; readonly raw: RawData; readonly options: DataOptions; readonly samples?: number }
  | LoadRequest
  /** May be sent again and again after `loaded`; each image comes back as one `outcome`, in any order. */
  | { readonly type: 'evaluate'; readonly images: readonly ImageTask[] }
  /** The same for points to be put to the original as they are; each comes back as one `replayed`. */
  | { readonly type: 'replay'; readonly images: readonly ImageTask[] }
  /** One batch of the model, as many of these images as it takes, and of its gradient where that is asked for: nothing is attacked. */
  | { readonly type: 'try'; readonly gradient: boolean; readonly images: readonly ImageTask[] }
  /** Adversarial examples that were saved: they come back as `unpacked`, and their pixels in pieces. */
  | { readonly type: 'unpack'; readonly name: string; readonly bytes: Uint8Array }
  /** Which files, besides those it comes with, a model keeps numbers in: only the child may read what a model says. */
  | { readonly type: 'locate'; readonly model: ModelBytes }
  | { readonly type: 'inspect'; readonly model: ModelBytes }
  | { readonly type: 'gradient'; readonly model: ModelBytes }

/** External data files of one model: some exporters write one for each tensor. */
export const MAXIMUM_EXTERNAL_FILES = 10_000

const fraction = z.number().min(0)
const index = z.int().min(0)
const float32 = z.custom<Float32Array>((value) => value instanceof Float32Array)
const int32 = z.custom<Int32Array>((value) => value instanceof Int32Array)
const bytes = z.custom<Uint8Array>((value) => value instanceof Uint8Array)

/** One attack on one image: the entry in results.json. `predicted` and `distance` are of the point returned (the witness when it succeeded). */
export const AttackOutcomeSchema = z.object({
  success: z.boolean(),
  predicted: index,
  /** ‖x′ − x‖ in the threat's norm, float64, pixel units. */
  distance: fraction,
  /** Of attacks that look for the least distance: that of the nearest point that fooled the model, inside the ball or beyond. */
  nearest: fraction.optional(),
})

export const SampleOutcomeSchema = z.object({
  index,
  label: index,
  /** By the unmodified model, on the clean image. */
  predicted: index,
  threats: z.record(z.string(), z.object({ robust: z.boolean(), attacks: z.record(z.string(), AttackOutcomeSchema) })),
  /** Set by the parent: the image was looked at more closely, so that the signs of a diagnosis could show. */
  diagnosed: z.literal(true).optional(),
  /** What it showed of the model, each once, in alphabetical order; left out when it showed nothing. */
  signs: z.array(SignSchema).min(1).optional(),
})

export const FlagSchema = z.object({ code: z.string(), message: z.string(), samples: z.array(index).optional() })

export const ReplySchema = z.discriminatedUnion('type', [
  /** Of a dataset all but its pixels, which follow in pieces. */
  z.object({
    type: z.literal('decoded'),
    dataset: z.object({
      name: z.string(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      samples: z.int().min(1),
      shape: z.array(z.int().min(1)).min(1),
      layout: z.enum(['nchw', 'nhwc', 'flat']),
      range: z.tuple([z.number(), z.number()]),
      labels: int32,
      classNames: z.array(z.string()).optional(),
    }),
  }),
  /** Of saved adversarial examples likewise. */
  z.object({ type: z.literal('unpacked'), shape: z.array(z.int().min(1)).min(1), indices: int32, labels: int32 }),
  /** The next of them, in order: float32, from the place `start` of [samples × product(shape)] on. */
  z.object({ type: z.literal('pixels'), start: index, pixels: float32 }),
  z.object({
    type: z.literal('loaded'),
    classes: z.int().min(2),
    /** The batch in use: the one asked for, or the model's own. */
    batch: z.int().min(1),
    /** `onnxruntime 1.30.0`, or `onnxruntime 1.30.0 cuda` */
    engine: z.string(),
    /** Whether there is one: else only attacks that need none are run. */
    gradient: z.boolean(),
    /** Operators with straight-through gradients, losses that fell back (DLR with two classes), …: facts, not faults. */
    flags: z.array(FlagSchema),
  }),
  z.object({
    type: z.literal('outcome'),
    outcome: SampleOutcomeSchema,
    /** By threat id: float32 [product(shape)], when witnesses were asked for and the image was broken. */
    witnesses: z.record(z.string(), float32).optional(),
    /** Questions of this image's attacks: points whose gradient, points whose prediction was asked for. */
    gradients: index,
    forwards: index,
  }),
  /** `predicted` by the original at the point; the number of classes when it says none of them. */
  z.object({ type: z.literal('replayed'), index, predicted: index }),
  /** What the original, or the gradient's logits, say of each image that was in the batch, in order. */
  z.object({ type: z.literal('tried'), predicted: z.array(index).min(1) }),
  /** Files that are missing, as the model names them. The parent checks each before it reads it. */
  z.object({ type: z.literal('needs'), locations: z.array(z.string().min(1).max(1024)).max(MAXIMUM_EXTERNAL_FILES) }),
  z.object({ type: z.literal('inspected'), inspection: InspectionSchema }),
  z.object({ type: z.literal('differentiated'), bytes }),
  /** `usage`: the user can mend it (exit status 2); `internal`: ours or the model's (exit status 3). One line. */
  z.object({ type: z.literal('failed'), kind: z.enum(['usage', 'internal']), message: z.string() }),
])

export type AttackOutcome = z.infer<typeof AttackOutcomeSchema>
export type SampleOutcome = z.infer<typeof SampleOutcomeSchema>
export type Flag = z.infer<typeof FlagSchema>
export type Reply = z.infer<typeof ReplySchema>
