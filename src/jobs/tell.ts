import type { Config } from '../config/types.js'
import type { Context } from '../github/context.js'
import { outputsOf } from '../github/outputs.js'
import { publicationOf, reportMarkdown } from '../github/publication.js'
import type { Report } from '../github/publication.js'
import { publish as post } from '../github/publish.js'
import { cut } from '../report/layout.js'
import { messageOf } from '../text.js'
import type { Judged, Run } from './services.js'

/** Everything people and later steps read: outputs, summary, check run, comment. What cannot be posted is a warning. */
export async function tell({ measured, publish }: Judged, { context, services }: Run): Promise<void> {
  const { log, setOutput, writeSummary, client } = services
  const { report } = measured
  const files = 'files' in measured ? measured.files : undefined
  for (const [name, value] of Object.entries(outputsOf(report.comparison, files))) setOutput(name, value)
  await writeSummary(cut(fullReport(report, publish, context), summaryLimit)).catch((error: unknown) =>
    log.warning(`The job summary could not be written: ${messageOf(error)}`),
  )
  if (client === undefined) return log.info('No github-token was given: neither comment nor check run is posted.')
  for (const warning of await post(client, publicationOf(report, { publish }, context))) log.warning(warning)
}

/** GitHub drops a summary that is longer; a newline is added to it. */
const summaryLimit = 2 ** 20 - 1

export function fullReport(report: Report, { checkName }: Config['publish'], { runUrl }: Context): string {
  return reportMarkdown(report, 'full', checkName, runUrl)
}
