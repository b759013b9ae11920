/**
 * The steps after which APGD judges its step size: w_j = ⌈p_j N⌉ with p₁ = 0.22 and p_{j+1} = p_j + max(p_j − p_{j−1} −
 * 0.03, 0.06) (Croce and Hein 2020, section 3.1). In hundredths: 0.22 + 0.19 is not 0.41 in binary.
 *
 * @returns ascending, from 1 to `steps`
 */
export function checkpoints(steps: number): readonly number[] {
  const found = new Set<number>()
  let period = 22
  for (let position = period; position <= 100; position += period) {
    found.add(Math.ceil((position * steps) / 100))
    period = Math.max(period - 3, 6)
  }
  return [...found]
}
