import type { Asking, GradientAnswer } from '../attacks/protocol.js'

/** What gradients one image's attacks were given. */
export interface GradientWatch {
  asked: number
  /** Whether one of them told a direction. */
  useful: boolean
}

/** Passes an attack's questions and answers on, and notes whether a gradient told it anything. */
export function* watchGradients<Result>(attack: Asking<Result>, watch: GradientWatch): Asking<Result> {
  let step = attack.next([])
  while (!step.done) {
    const answers = yield step.value
    for (const answer of answers)
      if (answer.kind === 'gradient') {
        watch.asked++
        watch.useful ||= tellsDirection(answer)
      }
    step = attack.next(answers)
  }
  return step.value
}

/** Somewhere neither zero nor NaN nor infinite. */
function tellsDirection({ gradient }: GradientAnswer): boolean {
  return gradient.some((slope) => slope !== 0 && Number.isFinite(slope))
}
