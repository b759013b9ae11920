/** How far an evaluation is. Counts of images, except where another unit is named. */
export interface Progress {
  readonly done: number
  readonly total: number
  /** Right on the clean image, of those done. */
  readonly correct: number
  /** Robust, of those done, by threat id. */
  readonly robust: Readonly<Record<string, number>>
  /** Gradients computed so far, one per image and step. */
  readonly gradients: number
  /** Wall clock since the evaluation began. */
  readonly seconds: number
}
