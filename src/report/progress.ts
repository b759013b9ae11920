import type { Progress } from '../evaluation/progress.js'

/** Takes in how far the evaluation of `what` (`candidate model.onnx`) is. */
export type ShowProgress = (what: string, progress: Progress) => void

const SECONDS_BETWEEN_LINES = 5

/** One line every few seconds and one at the end: for logs. */
export function progressLines(write: (line: string) => void): ShowProgress {
  const last = new Map<string, number>()
  return (what, progress) => {
    const due = progress.seconds - (last.get(what) ?? 0) >= SECONDS_BETWEEN_LINES
    if (!due && progress.done < progress.total) return
    if (progress.done < progress.total) last.set(what, progress.seconds)
    // The next model begins anew.
    else last.delete(what)
    write(
      `${what}: ${progress.done}/${progress.total} images, ${progressNumbers(progress)}, ${Math.round(progress.seconds)} s`,
    )
  }
}

/** Counts, not percentages: images that break are done first, so a percentage of those done would mislead. */
export function progressNumbers({ done, correct, robust, gradients }: Progress): string {
  const count = (value: number) => value.toLocaleString('en')
  const broken = Object.entries(robust).map(([threat, held]) => `${count(correct - held)} broken (${threat})`)
  return [`${count(done - correct)} misclassified`, ...broken, `${count(gradients)} gradients`].join(', ')
}
