/** How Resize reads one axis; the names are the attributes'. */
export interface Interpolation {
  readonly mode: string
  readonly coordinates: string
  readonly nearestMode: string
  readonly cubicCoefficient: number
  readonly excludeOutside: boolean
  readonly antialias: boolean
}

export interface ResizedAxis {
  readonly input: number
  readonly output: number
  /** float32, as the operator was given it: a size that was rounded down is not input · scale. */
  readonly scale: number
  /** Of tf_crop_and_resize, as fractions of the axis. */
  readonly region: readonly [number, number]
}

/** For each output pixel the input pixels it is the weighted sum of. None: it has the extrapolation value. */
export type Taps = readonly (readonly [at: number, weight: number])[]

/**
 * Resize along one axis as the rows of a matrix [output, input]. Coordinates are computed in float32, in onnxruntime's
 * order: at ties the last bit decides which pixel is the nearest.
 */
export function resizedPixels(axis: ResizedAxis, how: Interpolation): readonly Taps[] {
  return Array.from({ length: axis.output }, (_, place) => {
    const at = axis.scale === 1 ? place : coordinate(place, axis, how.coordinates)
    if (how.coordinates === 'tf_crop_and_resize' && (at < 0 || at > axis.input - 1)) return []
    if (how.antialias) return widened(at, axis, how)
    if (how.mode === 'nearest') return [[clamp(nearest(at, how.nearestMode), axis.input), 1]]
    if (how.mode === 'linear') return linear(Math.max(0, Math.min(at, axis.input - 1)), axis.input)
    return cubic(at, axis.input, how)
  })
}

const f = Math.fround

function coordinate(place: number, { input, output, scale, region }: ResizedAxis, mode: string): number {
  const middle = f((place + 0.5) / scale)
  switch (mode) {
    case 'asymmetric':
      return f(place / scale)
    case 'pytorch_half_pixel':
      return output > 1 ? f(middle - 0.5) : 0
    case 'tf_half_pixel_for_nn':
      return middle
    case 'align_corners':
      return output === 1 ? 0 : f(f(place * (input - 1)) / (output - 1))
    case 'tf_crop_and_resize': {
      const [from, to] = region
      if (output === 1) return f(0.5 * f(from + to) * (input - 1))
      const inside = f(f(f(place * f(to - from)) * (input - 1)) / (output - 1))
      return f(f(from * (input - 1)) + inside)
    }
    case 'half_pixel_symmetric': {
      const adjustment = f(output / f(scale * input))
      return f(f((input / 2) * f(1 - adjustment)) + (place + 0.5) / scale - 0.5)
    }
    default:
      return f(middle - 0.5)
  }
}

function nearest(at: number, mode: string): number {
  if (mode === 'floor') return Math.floor(at)
  if (mode === 'ceil') return Math.ceil(at)
  const tie = at - Math.floor(at) === 0.5
  return tie && mode !== 'round_prefer_ceil' ? Math.floor(at) : Math.floor(at + 0.5)
}

function linear(at: number, size: number): Taps {
  const before = Math.min(Math.floor(at), size - 1)
  const share = at - before
  return share === 0
    ? [[before, 1]]
    : [
        [before, 1 - share],
        [clamp(before + 1, size), share],
      ]
}

/** Keys 1981, equation 15, for a free coefficient. */
function cubicWeight(distance: number, a: number): number {
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

function cubic(at: number, size: number, { cubicCoefficient, excludeOutside }: Interpolation): Taps {
  const first = Math.floor(at) - 1
  const places = [0, 1, 2, 3].map((tap) => first + tap)
  return gathered(
    places.map((place) => [place, cubicWeight(at - place, cubicCoefficient)]),
    size,
    excludeOutside,
    false,
  )
}

/** When shrinking, the kernel is widened by the same factor, as in Pillow. */
function widened(at: number, { input, scale }: ResizedAxis, how: Interpolation): Taps {
  const stretch = Math.max(f(1 / scale), 1)
  const support = f((how.mode === 'linear' ? 1 : 2) * stretch)
  const centre = f(at + 0.5)
  const first = Math.floor(f(f(centre - support) + 0.5))
  const last = Math.floor(f(f(centre + support) + 0.5))
  const weight = (place: number): number => {
    const distance = (place + 0.5 - centre) / stretch
    return how.mode === 'linear' ? Math.max(0, 1 - Math.abs(distance)) : cubicWeight(distance, how.cubicCoefficient)
  }
  const taps = Array.from({ length: last - first }, (_, tap): [number, number] => [first + tap, weight(first + tap)])
  return gathered(taps, input, how.excludeOutside, true)
}

/** What lies outside is left out, or counts for the pixel at the rim. */
function gathered(taps: Taps, size: number, excludeOutside: boolean, normalise: boolean): Taps {
  const kept = excludeOutside ? taps.filter(([at]) => at >= 0 && at < size) : taps
  const total = excludeOutside || normalise ? kept.reduce((sum, [, weight]) => sum + weight, 0) : 1
  return kept.map(([at, weight]) => [clamp(at, size), total === 0 ? weight : weight / total])
}

function clamp(at: number, size: number): number {
  return Math.max(0, Math.min(at, size - 1))
}
