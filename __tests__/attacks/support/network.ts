import type { Loss } from '../../../src/attacks/losses.js'
import type { FakeModel } from './linear.js'

/** Weights by row (one for each output) and a bias for each. */
export interface Layer {
  readonly weights: readonly (readonly number[])[]
  readonly bias: readonly number[]
}

/** Dense layers with ReLU between them, in float64, and the gradients of all losses by the chain rule. */
export function denseNetwork(layers: readonly Layer[]): FakeModel {
  const activations = (point: Float32Array): (readonly number[])[] => {
    const values: (readonly number[])[] = [[...point]]
    for (const [depth, { weights, bias }] of layers.entries()) {
      const input = values[depth].map((value) => (depth === 0 ? value : Math.max(0, value)))
      values.push(weights.map((row, k) => row.reduce((sum, w, i) => sum + w * input[i], bias[k])))
    }
    return values
  }
  return {
    predict: (point) => Float32Array.from(activations(point)[layers.length]),
    gradient(point, loss) {
      const values = activations(point)
      const logits = values[layers.length]
      const height = (z: readonly number[]): number => lossOf(z, loss)
      let slopes = logits.map((_, k) => slopeAlong(height, logits, k))
      for (let depth = layers.length - 1; depth >= 0; depth--) {
        const { weights } = layers[depth]
        const before = values[depth].map((_, i) => slopes.reduce((sum, slope, k) => sum + slope * weights[k][i], 0))
        slopes = depth === 0 ? before : before.map((slope, i) => (values[depth][i] > 0 ? slope : 0))
      }
      return { logits: Float32Array.from(logits), value: height(logits), gradient: Float32Array.from(slopes) }
    },
  }
}

/** The losses as their papers define them; where there are too few classes, the margin. */
function lossOf(z: readonly number[], loss: Loss): number {
  if (loss.name === 'linear') return z.reduce((sum, value, k) => sum + value * loss.direction[k], 0)
  const own = z[loss.label]
  const sorted = z.toSorted((one, other) => other - one)
  const other = Math.max(...z.filter((_, k) => k !== loss.label))
  switch (loss.name) {
    case 'cross-entropy':
      return Math.log(z.reduce((sum, value) => sum + Math.exp(value - sorted[0]), 0)) + sorted[0] - own
    case 'margin':
      return other - own
    case 'dlr':
      return z.length < 3 ? other - own : (other - own) / (sorted[0] - sorted[2] + 1e-12)
    case 'targeted-dlr': {
      const lead = z[loss.target] - own
      return z.length < 4 ? lead : lead / (sorted[0] - (sorted[2] + sorted[3]) / 2 + 1e-12)
    }
  }
}

/** Central difference: good to some 1e-9 for logits of some units, and attacks need no more. */
function slopeAlong(height: (z: readonly number[]) => number, z: readonly number[], k: number): number {
  const moved = (step: number): readonly number[] => z.with(k, z[k] + step)
  return (height(moved(1e-4)) - height(moved(-1e-4))) / 2e-4
}
