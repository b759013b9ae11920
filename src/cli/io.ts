import type { Host } from '../host.js'
import type { ShowProgress } from '../report/progress.js'

/** What the commands have of the world around them. */
export interface Io {
  readonly stdout: (text: string) => unknown
  readonly stderr: (text: string) => unknown
  readonly showProgress: ShowProgress
  /** Of stdout. */
  readonly color: boolean
  readonly width: number
  readonly host: Host
}
