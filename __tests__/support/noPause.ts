import type { Pause } from '../../src/remote/pause.js'

/** Nobody waits. */
export const noPause: Pause = () => Promise.resolve()
