import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../config/types.js'
import { archiveName } from '../evaluationStore.js'
import type { EvaluationFiles, StoringEffects } from '../evaluationStore.js'
import { writeOutput } from '../output.js'

/** The candidate's adversarial examples on their way from the evaluation to the folder that is uploaded. */
export interface CandidateExamples {
  /** For the evaluation. */
  readonly effects: Pick<StoringEffects, 'onArchives'>
  /** See `writeExamples`. */
  write(folder: string, threats: Config['threats']): Promise<void>
}

export function candidateExamples(): CandidateExamples {
  let examples: EvaluationFiles = {}
  return {
    effects: {
      onArchives(role, archives) {
        if (role === 'candidate') examples = archives
      },
    },
    write: (folder, threats) => writeExamples(folder, threats, examples),
  }
}

/** Removes what an earlier run left, which would pass for this one's, and writes what there is. */
export async function writeExamples(
  folder: string,
  threats: Config['threats'],
  examples: EvaluationFiles,
): Promise<void> {
  for (const { id } of threats) await rm(join(folder, archiveName(id)), { force: true })
  for (const [name, content] of Object.entries(examples)) await writeOutput(join(folder, name), content)
}
