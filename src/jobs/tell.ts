import { isAbsolute, relative, resolve, sep } from 'node:path'
import type { Config } from '../config/types.js'
import type { Context } from '../github/context.js'
import { outputsOf } from '../github/outputs.js'
import { publicationOf, reportMarkdown } from '../github/publication.js'
import type { Report } from '../github/publication.js'
import { publish as post } from '../github/publish.js'
import { cut } from '../report/layout.js'
import type { Judged, Run } from './services.js'
import { summarise } from './summarise.js'

/** Everything people and later steps read: outputs, summary, check run, comment. What cannot be posted is a warning. */
export async function tell({ measured, publish, model }: Judged, run: Run): Promise<void> {
  const { context, services, inputs } = run
  const { log, setOutput, client } = services
  const { report } = measured
  const files = 'files' in measured ? measured.files : undefined
  for (const [name, value] of Object.entries(outputsOf(report.comparison, files))) setOutput(name, value)
  await summarise(services, cut(fullReport(report, publish, context), summaryLimit))
  if (client === undefined) {
    if (report.warnings?.length) log.warning(report.warnings.join(' '))
    return log.info('No github-token was given: neither comment nor check run is posted.')
  }
  const annotated = { model: inRepository(model, run), config: inRepository(inputs.config, run) }
  const { warnings, notes } = await post(client, publicationOf(report, { publish }, context, annotated))
  const wrong = [...(report.warnings ?? []), ...warnings]
  if (wrong.length > 0) log.warning(wrong.join(' '))
  for (const note of notes) log.info(note)
}

/** A path as GitHub's interface wants it; undefined of what is not a file of the repository. */
export function inRepository(path: string | undefined, { workspace }: Run): string | undefined {
  if (path === undefined || path === '' || /^[a-z-]{2,}:/i.test(path)) return undefined
  const inside = relative(workspace, resolve(workspace, path))
  return inside === '' || inside.startsWith('..') || isAbsolute(inside) ? undefined : inside.split(sep).join('/')
}

/** GitHub drops a summary that is longer; a newline is added to it. */
const summaryLimit = 2 ** 20 - 1

export function fullReport(report: Report, { checkName }: Config['publish'], { runUrl }: Context): string {
  return reportMarkdown(report, 'full', checkName, runUrl)
}
