import { Presets, SingleBar } from 'cli-progress'
import { progressNumbers } from '../report/progress.js'
import type { ShowProgress } from '../report/progress.js'

/** A bar for each model, drawn again in place: for terminals. */
export function progressBars(stream: NodeJS.WriteStream): ShowProgress {
  const bars = new Map<string, SingleBar>()
  return (what, progress) => {
    const details = { what, numbers: progressNumbers(progress) }
    const bar = bars.get(what) ?? new SingleBar({ stream, format, fps: 5 }, Presets.shades_classic)
    if (!bars.has(what)) bar.start(progress.total, progress.done, details)
    bars.set(what, bar)
    bar.update(progress.done, details)
    if (progress.done < progress.total) return
    bar.stop()
    // The next model begins anew.
    bars.delete(what)
  }
}

const format = '{what} {bar} {value}/{total} images, {numbers}, {duration_formatted}'
