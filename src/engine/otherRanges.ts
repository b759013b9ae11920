import type { AttackPlan } from './attackPlan.js'
import type { Sign } from './signs.js'

/** One image as a model would be fed it that was trained on pixels of another range. */
export interface OtherRange {
  readonly sign: Extract<Sign, `right-${string}`>
  /** As the data's own pixels would have to be, so that after the declared preprocessing the model gets what it wants. */
  readonly pixels: Float32Array
}

/** Of ImageNet, by channel: what most image models on the web were trained with. */
const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

/** A share of the range, 0 … 1, as what the model is fed. */
const CONVENTIONS: readonly (readonly [OtherRange['sign'], (share: number, channel: number) => number])[] = [
  ['right-at-0-255', (share) => 255 * share],
  ['right-at-0-1', (share) => share],
  ['right-at-minus-1-1', (share) => 2 * share - 1],
  ['right-with-imagenet', (share, channel) => (share - IMAGENET.mean[channel]) / IMAGENET.std[channel]],
]

/** An image in every range in use, but for the one it is in. Points outside the bounds: they are for asking only. */
export function otherRanges(pixels: Float32Array, plan: AttackPlan): readonly OtherRange[] {
  const [low, high] = plan.bounds
  const { mean, std } = plan.preprocessing
  const { channels, channelOf } = channelsOf(plan)
  const of = (values: readonly number[], channel: number): number => values[values.length === 1 ? 0 : channel]
  return CONVENTIONS.filter(([sign]) => sign !== 'right-with-imagenet' || channels === 3)
    .map(([sign, fed]): OtherRange => {
      const pixelAt = (pixel: number, place: number): number => {
        const channel = channelOf(place)
        return fed((pixel - low) / (high - low), channel) * of(std, channel) + of(mean, channel)
      }
      return { sign, pixels: pixels.map(pixelAt) }
    })
    .filter((range) => range.pixels.some((pixel, place) => Math.abs(pixel - pixels[place]) > 1e-3 * (high - low)))
}

function channelsOf({ shape, layout }: AttackPlan): {
  readonly channels: number
  readonly channelOf: (place: number) => number
} {
  const size = shape.reduce((product, length) => product * length, 1)
  if (layout === 'flat' || shape.length < 2) return { channels: 1, channelOf: () => 0 }
  const channels = layout === 'nchw' ? shape[0] : shape[shape.length - 1]
  const channelOf =
    layout === 'nchw' ? (place: number) => Math.floor((place * channels) / size) : (place: number) => place % channels
  return { channels, channelOf }
}
