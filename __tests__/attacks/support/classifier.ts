import type { FakeModel } from './linear.js'

/** A model by its logits and, written by hand, their derivatives: `slopes(x)[k][i]` is d z_k / d x_i. */
export function classifier(
  logits: (point: Float32Array) => readonly number[],
  slopes: (point: Float32Array) => readonly (readonly number[])[],
): FakeModel {
  return {
    predict: (point) => Float32Array.from(logits(point)),
    gradient(point, loss) {
      const z = logits(point)
      const highest = Math.max(...z)
      const exponentials = z.map((value) => Math.exp(value - highest))
      const total = exponentials.reduce((sum, value) => sum + value, 0)
      const weights = (): { value: number; direction: number[] } => {
        if (loss.name === 'linear')
          return {
            value: z.reduce((sum, value, k) => sum + loss.direction[k] * value, 0),
            direction: [...loss.direction],
          }
        const { label } = loss
        if (loss.name === 'cross-entropy')
          return {
            value: -Math.log(exponentials[label] / total),
            direction: exponentials.map((value, k) => value / total - (k === label ? 1 : 0)),
          }
        const rival = z.reduce((best, value, k) => (k !== label && (best < 0 || value > z[best]) ? k : best), -1)
        return {
          value: z[rival] - z[label],
          direction: z.map((_, k) => Number(k === rival) - Number(k === label)),
        }
      }
      const { value, direction } = weights()
      const jacobian = slopes(point)
      const gradient = Float32Array.from(point, (_, i) =>
        direction.reduce((sum, weight, k) => sum + weight * jacobian[k][i], 0),
      )
      return { logits: Float32Array.from(z), value, gradient }
    },
  }
}

/** Logits W x + b. */
export function linearClassifier(weights: readonly (readonly number[])[], biases: readonly number[]): FakeModel {
  return classifier(
    (point) => weights.map((row, k) => row.reduce((sum, weight, i) => sum + weight * point[i], biases[k])),
    () => weights,
  )
}
