import { messageOf } from '../text.js'
import type { Services } from './services.js'

/** Adds markdown to the job's page. Where that cannot be written a warning says so, and the verdict stays as it is. */
export async function summarise(
  { log, writeSummary }: Pick<Services, 'log' | 'writeSummary'>,
  markdown: string,
): Promise<void> {
  await writeSummary(markdown).catch((error: unknown) =>
    log.warning(`The job summary could not be written: ${messageOf(error)}`),
  )
}
