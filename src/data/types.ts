import type { Layout } from '../config/types.js'

/**
 * What the parent hands to a child: bytes of files, nothing decoded. The parent never parses an image or an archive.
 */
export type RawData =
  | { readonly kind: 'npz'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'idx'; readonly name: string; readonly images: Uint8Array; readonly labels: Uint8Array }
  | { readonly kind: 'csv'; readonly name: string; readonly bytes: Uint8Array }
  | {
      readonly kind: 'folder'
      readonly name: string
      readonly classNames: readonly string[]
      /** Already the first N of each class in turn. */
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
