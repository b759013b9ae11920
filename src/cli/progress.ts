import { Presets, SingleBar } from 'cli-progress'
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
    last.set(what, progress.seconds)
    write(`${what}: ${progress.done}/${progress.total} images, ${numbers(progress)}, ${Math.round(progress.seconds)} s`)
  }
}

/** A bar for each model, drawn again in place: for terminals. */
export function progressBars(stream: NodeJS.WriteStream): ShowProgress {
  const bars = new Map<string, SingleBar>()
  return (what, progress) => {
    const details = { what, numbers: numbers(progress) }
    const bar = bars.get(what) ?? new SingleBar({ stream, format, fps: 5 }, Presets.shades_classic)
    if (!bars.has(what)) bar.start(progress.total, progress.done, details)
    bars.set(what, bar)
    bar.update(progress.done, details)
    if (progress.done >= progress.total) bar.stop()
  }
}

const format = '{what} {bar} {value}/{total} images, {numbers}, {duration_formatted}'

/** Counts, not percentages: images that break are done first, so a percentage of those done would mislead. */
function numbers({ done, correct, robust, gradients }: Progress): string {
  const count = (value: number) => value.toLocaleString('en')
  const broken = Object.entries(robust).map(([threat, held]) => `${count(correct - held)} broken (${threat})`)
  return [`${count(done - correct)} misclassified`, ...broken, `${count(gradients)} gradients`].join(', ')
}
