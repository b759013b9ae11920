import type { GradientBuilder } from '../gradientBuilder.js'

/** What an operator makes of NHWC values by what its like makes of NCHW values: turned before, and back behind. */
export function channelsFirst(x: string, rank: number, b: GradientBuilder, work: (x: string) => string): string {
  const spatial = Array.from({ length: rank - 2 }, (_, at) => at + 1)
  const first = b.add('Transpose', [x], { perm: [0, rank - 1, ...spatial] })
  return b.add('Transpose', [work(first)], { perm: [0, ...spatial.map((axis) => axis + 1), 1] })
}
