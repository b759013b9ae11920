import type { Loss } from '../../../src/attacks/losses.js'
import type { FakeModel } from './linear.js'

/**
 * The classifier with logits z_k = w_k·x + b_k, or any other whose logits and their Jacobian are given, and the gradients of
 * its losses by hand.
 */
export function linearClasses(weights: readonly (readonly number[])[], biases: readonly number[]): FakeModel {
  return classifier(
    (x) => weights.map((row, k) => row.reduce((sum, w, i) => sum + w * x[i], biases[k])),
    () => weights,
  )
}

export function classifier(
  logitsAt: (point: Float32Array) => readonly number[],
  jacobianAt: (point: Float32Array) => readonly (readonly number[])[],
): FakeModel {
  return {
    predict: (point) => Float32Array.from(logitsAt(point)),
    gradient(point, loss) {
      const z = logitsAt(point)
      const { value, slopes } = lossOf(z, loss)
      const jacobian = jacobianAt(point)
      const gradient = Float32Array.from(point, (_, i) => slopes.reduce((sum, s, k) => sum + s * jacobian[k][i], 0))
      return { logits: Float32Array.from(z), value, gradient }
    },
  }
}

/** A loss (see src/attacks/losses.ts) and its derivative by each logit. */
function lossOf(z: readonly number[], loss: Loss): { readonly value: number; readonly slopes: readonly number[] } {
  const unit = (k: number): number[] => z.map((_, i) => Number(i === k))
  const difference = (k: number, j: number) => ({ value: z[k] - z[j], slopes: subtract(unit(k), unit(j)) })
  const ranked = [...z.keys()].sort((a, b) => z[b] - z[a])
  if (loss.name === 'linear') {
    return { value: z.reduce((sum, value, k) => sum + value * loss.direction[k], 0), slopes: [...loss.direction] }
  }
  const { name, label } = loss
  if (name === 'cross-entropy') {
    const sum = z.reduce((total, value) => total + Math.exp(value - z[label]), 0)
    const probabilities = z.map((value) => Math.exp(value - z[label]) / sum)
    return { value: Math.log(sum), slopes: subtract(probabilities, unit(label)) }
  }
  const rival = ranked.find((k) => k !== label) ?? 0
  const numerator = difference(name === 'targeted-dlr' ? loss.target : rival, label)
  if (name === 'margin' || (name === 'targeted-dlr' && z.length < 4)) return numerator
  const third = difference(ranked[0], ranked[2])
  if (name === 'dlr') return quotient(numerator, third)
  const fourth = difference(ranked[0], ranked[3])
  const slopes = third.slopes.map((slope, k) => (slope + fourth.slopes[k]) / 2)
  return quotient(numerator, { value: (third.value + fourth.value) / 2, slopes })
}

function quotient(
  a: { readonly value: number; readonly slopes: readonly number[] },
  b: { readonly value: number; readonly slopes: readonly number[] },
) {
  const slopes = a.slopes.map((slope, k) => (slope * b.value - a.value * b.slopes[k]) / b.value ** 2)
  return { value: a.value / b.value, slopes }
}

function subtract(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, k) => value - b[k])
}
