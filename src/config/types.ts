import type { AttackSpec } from './attackTypes.js'
import type { Norm } from './norm.js'

export type { Norm }

/** What one run is asked to do, complete and typed. The schema holds every default; nothing downstream has one. */

export type Layout = 'nchw' | 'nhwc' | 'flat'

/** The ball an attacker may move in. Bounds are those of the dataset's range and are added by the evaluation. */
export interface ThreatSpec {
  /** Slug of what the user wrote: `linf-0.1`, `linf-8_255`. */
  readonly id: string
  readonly norm: Norm
  /** In pixel units of the dataset's range. */
  readonly epsilon: number
}

export interface Suite {
  readonly name: string
  readonly version: number
  readonly attacks: readonly AttackSpec[]
}

/** Declared of a model: turns pixels in the dataset's range and layout into what the model was trained on. */
export interface Preprocessing {
  /** Per channel (or one for all), subtracted from the pixels; in units of the dataset's range. */
  readonly mean: readonly number[]
  /** Per channel (or one for all), divides. */
  readonly std: readonly number[]
  /** The model's input layout. Undefined: the dataset's. */
  readonly layout?: Layout
  readonly channelOrder: 'rgb' | 'bgr'
}

/** How the data's files become images. */
export interface DataOptions {
  /** Bounds of a pixel. uint8 is mapped onto it (v/255·(high−low)+low); float data must lie inside. */
  readonly range: readonly [number, number]
  /** Layout of arrays (npz); flat data (CSV) too when `shape` is given. */
  readonly layout: Layout
  /** Per-image shape for flat sources (CSV), e.g. [1, 28, 28]. */
  readonly shape?: readonly number[]
  /** Image folders: shorter side is resized to this many pixels. */
  readonly resize?: number
  /** Image folders: centre crop, [height, width]. */
  readonly crop?: readonly [number, number]
  readonly channels: 'auto' | 'rgb' | 'gray'
  /** Path of a text file, one class name a line: the order of class folders, and names for reports. */
  readonly classNames?: string
  /** Path of the label file of an IDX image file, when its name cannot be derived (images-idx3 → labels-idx1). */
  readonly labels?: string
}

export interface Policy {
  /** Percentage points of robust accuracy that may be lost. */
  readonly maxRobustDrop: number
  /** Percentage points of clean accuracy that may be lost. */
  readonly maxCleanDrop: number
  /** Percentage points of clean accuracy that may be lost when robust accuracy rises significantly. */
  readonly cleanBudget: number
  /** Fraction of 1; absolute floor for the worst case of every threat. */
  readonly minRobustAccuracy?: number
  readonly minCleanAccuracy?: number
  readonly decision: 'significant' | 'observed'
  /** Level of the one-sided tests, after Holm's correction. 0.05. */
  readonly significance: number
  /** Which outcomes fail the job besides `error`. */
  readonly failOn: 'regression' | 'inconclusive' | 'never'
  /** What becomes of a model that nothing can be compared with. Undefined: it passes if none existed yet, else it fails. */
  readonly onMissingBaseline?: 'pass' | 'fail'
}

/** What onnxruntime runs models on. */
export type ExecutionProvider = 'cpu' | 'cuda'

export interface Limits {
  /** Wall-clock seconds for one evaluation (one model). */
  readonly seconds: number
  /** Child processes. Undefined: one per core. */
  readonly workers?: number
  /** Images in one onnxruntime call, 1 or a multiple of 16 (a model whose batch cannot be lifted uses its own). */
  readonly batch: number
}

export interface Config {
  readonly model?: string
  /** `auto`, `none`, `ref:…`, `path:…`, `results:…` in the action; a path of a model or results.json on the command line. */
  readonly baseline?: string
  readonly data?: string
  readonly dataOptions: DataOptions
  /** The first N images; undefined: all. */
  readonly samples?: number
  /** Only witnesses of 8 bits count: points that stay adversarial as the pixels of a file. */
  readonly quantised: boolean
  readonly seed: number
  readonly preprocessing: Preprocessing
  /** The baseline's own, defaulting to the candidate's. */
  readonly baselinePreprocessing: Preprocessing
  readonly threats: readonly ThreatSpec[]
  readonly suite: Suite
  readonly policy: Policy
  readonly limits: Limits
  readonly executionProvider: ExecutionProvider
  readonly publish: {
    readonly comment: 'always' | 'on-change' | 'on-failure' | 'never'
    /** Names the gate: its comment's marker and its check run. */
    readonly checkName: string
    /** On a pull request, accepts a model that would fail; undefined: nothing does. */
    readonly acceptLabel?: string
  }
}
