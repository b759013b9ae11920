import type { Request } from './messages.js'
import { failure, serve } from './serve.js'
import { startWatchdog } from './watchdog.js'

/** Entry of the child process. It lives as long as its parent, has no files and no environment, and answers requests. */
startWatchdog(process.ppid)
const receive = serve(
  (reply) => new Promise((resolve) => process.send?.(reply, undefined, undefined, () => resolve()) ?? resolve()),
)
process.on('message', (request: Request) => receive(request))
process.on('disconnect', () => process.exit())
// What escapes everything else is the product's fault, and is told before the process ends.
process.on('uncaughtException', (error) => process.send?.(failure(error), undefined, undefined, () => process.exit(1)))
