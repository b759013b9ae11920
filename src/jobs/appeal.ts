import { answered, isAcceptable } from '../comparison/acceptance.js'
import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { acceptanceOf, howToAcceptUnasked } from '../github/acceptance.js'
import { isPermission } from '../github/status.js'
import { messageOf, oneLine } from '../text.js'
import type { Run } from './services.js'

/** Asks people about what would fail, and hears what they have said on the pull request. */
export interface Appeal {
  readonly ask: (comparison: Comparison) => Promise<Comparison>
  /** Why nobody could be asked. */
  readonly warnings: readonly string[]
}

/**
 * The way from a verdict to what people say of it. Nobody is asked about what passes, nor about an error; and an answer that
 * does not come is none.
 */
export function appealIn(
  { context, services: { client } }: Pick<Run, 'context' | 'services'>,
  { acceptLabel: label, checkName }: Config['publish'],
): Appeal {
  const warnings: string[] = []
  return {
    warnings,
    async ask(comparison) {
      const { sha256: candidate } = comparison.candidate ?? {}
      if (label === undefined || candidate === undefined || !isAcceptable(comparison)) return comparison
      if (client === undefined) {
        const appeal = howToAcceptUnasked(label, context.event)
        return appeal === undefined ? comparison : answered(comparison, { appeal })
      }
      try {
        const answer = await acceptanceOf(client, context.event, { label, checkName, candidate })
        return answer === undefined ? comparison : answered(comparison, answer)
      } catch (error) {
        const why = isPermission(error)
          ? 'the token lacks `pull-requests: read` or `checks: read`'
          : oneLine(messageOf(error), 300)
        warnings.push(`Whether the label “${label}” accepts this model could not be read (${why}), so it does not.`)
        return answered(comparison, { appeal: `Whether the label “${label}” accepts this model could not be read.` })
      }
    },
  }
}
