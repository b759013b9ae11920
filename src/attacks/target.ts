import type { Layout } from '../config/types.js'
import type { ThreatModel } from './threat.js'

/** What an attack is aimed at: one image that the model is right on, and the ball around it. */
export interface Target {
  readonly threat: ThreatModel
  readonly label: number
  /** At least 2. */
  readonly classes: number
  /** Of the image, in `layout`; [pixels] when it is flat. */
  readonly shape: readonly number[]
  readonly layout: Layout
}
