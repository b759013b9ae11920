import { resolve } from 'node:path'
import { dryRun } from '../dryRun.js'
import { UsageError } from '../errors.js'
import { requireHead } from '../github/checkout.js'
import { readConfig, readRequest } from '../github/request.js'
import { refuseLinks } from '../github/workspace.js'
import { planText } from '../report/plan.js'
import { oneLine } from '../text.js'
import { forgiving, placeOf } from './gate.js'
import type { Run } from './services.js'
import { summarise } from './summarise.js'

/**
 * Says in log and summary what a gate would run and how long it would take; neither comment nor check run is posted.
 *
 * @throws UsageError and EvaluationError for what would keep the gate from running.
 */
export async function tryOut(run: Run): Promise<void> {
  const { inputs, context, workspace, services } = run
  const { log, host, environment } = services
  // There the token can write, and no model may be loaded beside it.
  if (inputs.mode !== 'gate') throw new UsageError(`dry-run is for mode: gate, not ${inputs.mode}`)
  const place = placeOf(run)
  if (environment.GITHUB_EVENT_NAME === 'pull_request_target')
    await requireHead(context.event.headSha, workspace, place.locate)
  const config = await readConfig(inputs, place)
  await refuseLinks(resolve(workspace, inputs.outputDir), workspace)
  const request = await readRequest(config, inputs, place)
  const plan = planText(await dryRun(config, { ...request, ...forgiving, shard: inputs.shard }, host))
  for (const warning of request.warnings) log.warning(warning)
  const notes = request.notes.map((note) => `Note: ${oneLine(note)}`)
  const text = [plan, ...notes].join('\n')
  log.block(text)
  // No line begins with what ends the block: each begins with words of ours.
  await summarise(services, `\`\`\`text\n${text}\n\`\`\`\n`)
}
