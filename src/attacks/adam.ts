/**
 * Adam (Kingma and Ba 2015, algorithm 1) with β₁ 0.9, β₂ 0.999 and ε 1e-8, descending.
 *
 * @returns what to add to the variables, given the gradient of a step: float64 [size], written anew each time
 */
export function adam(size: number, stepSize: number): (gradient: Float64Array) => Float64Array {
  const mean = new Float64Array(size)
  const square = new Float64Array(size)
  const change = new Float64Array(size)
  let steps = 0
  return (gradient) => {
    steps++
    for (let i = 0; i < size; i++) {
      mean[i] += 0.1 * (gradient[i] - mean[i])
      square[i] += 0.001 * (gradient[i] * gradient[i] - square[i])
      const unbiased = mean[i] / (1 - 0.9 ** steps)
      change[i] = (-stepSize * unbiased) / (Math.sqrt(square[i] / (1 - 0.999 ** steps)) + 1e-8)
    }
    return change
  }
}
