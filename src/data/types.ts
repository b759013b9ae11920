import type { Layout } from '../config/types.js'

/**
 * What the parent hands to a child: bytes of files, nothing decoded. The parent never parses an image or an archive.
 * `name` is the last part of the path, for messages and reports.
 */
export type RawData =
  | {
      readonly kind: 'npz'
      readonly name: string
      readonly bytes: Uint8Array
      readonly classNames?: readonly string[]
    }
  | {
      readonly kind: 'idx'
      readonly name: string
      readonly images: Uint8Array
      readonly labels: Uint8Array
      readonly classNames?: readonly string[]
    }
  | {
      readonly kind: 'csv'
      readonly name: string
      readonly bytes: Uint8Array
      readonly classNames?: readonly string[]
    }
  | {
      readonly kind: 'folder'
      readonly name: string
      readonly classNames: readonly string[]
      /** The first image of each class, then the second of each, …: already cut to the number asked for. */
      readonly files: readonly { readonly name: string; readonly label: number; readonly bytes: Uint8Array }[]
    }

export interface Dataset {
  readonly name: string
  /** SHA-256 (hex) over shape, pixels and labels of the samples in use: equal data, equal hash, whatever the container. */
  readonly sha256: string
  readonly samples: number
  /** Per image, without the batch: [C, H, W], [H, W, C] or [D]. */
  readonly shape: readonly number[]
  readonly layout: Layout
  readonly range: readonly [number, number]
  /** float32 [samples × product(shape)], inside `range`. */
  readonly pixels: Float32Array
  /** [samples], ≥ 0. */
  readonly labels: Int32Array
  readonly classNames?: readonly string[]
}

/** What every format's reader gives: values as they were stored, before range, layout and the hash. */
export interface StoredImages {
  /** How many images the source holds; `values` and `labels` may hold fewer, when not all were asked for. */
  readonly available: number
  /** Per image: [D], [H, W], or three dimensions in the declared layout. */
  readonly dims: readonly number[]
  /** At least samples × product(dims), row-major. Uint8Array means 0…255 spread over the declared range. */
  readonly values: Uint8Array | Float32Array | Float64Array
  readonly labels: StoredLabels
}

/** Labels as stored, integers or whole floats. */
export type StoredLabels = ArrayLike<number> | ArrayLike<bigint>
