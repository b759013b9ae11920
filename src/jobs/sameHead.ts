import { errorComparison } from '../comparison/compare.js'
import type { Config } from '../config/types.js'
import { outputsOf } from '../github/outputs.js'
import { publicationOf } from '../github/publication.js'
import { publish as post } from '../github/publish.js'
import type { Run } from './services.js'
import { summarise } from './summarise.js'

/**
 * Says on a commit that several open pull requests have it for their head. Whatever an earlier check run there has judged, of
 * one of them against one base, GitHub would take for a verdict on all: so nothing is green until each has a head of its own.
 *
 * The job does not fail: like any other verdict of `mode: publish` this one is the check run's.
 */
export async function tellSameHead(run: Run, numbers: readonly number[], publish: Config['publish']): Promise<void> {
  const { context, services } = run
  const { log, setOutput, client } = services
  const which = `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`
  const sentence = `The pull requests ${which} have the same head, and a check run belongs to a commit, not to a pull request. The run does not tell which of them it was for, so nothing can be judged: close all but one of them, or push a commit of its own to each but one, and run the evaluating workflow of the one that stays again.`
  const comparison = errorComparison(sentence)
  for (const [name, value] of Object.entries(outputsOf(comparison))) setOutput(name, value)
  log.info(sentence)
  await summarise(services, `${sentence}\n`)
  if (client === undefined) return
  const title = `🛑 Error: the pull requests ${which} have the same head`
  const { check } = publicationOf({ comparison, notes: [] }, { publish }, context)
  const { warnings, notes } = await post(client, {
    check: {
      ...check,
      title: [...title].slice(0, 250).join(''),
      summary: `🛑 **Error**: ${sentence}\n\n<sub>[Run](${context.runUrl})</sub>\n`,
      annotations: [],
      mark: { ...check.mark, pullRequest: 'several' },
    },
  })
  if (warnings.length > 0) log.warning(warnings.join(' '))
  for (const note of notes) log.info(note)
}
