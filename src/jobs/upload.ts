import { lstat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { archiveName } from '../evaluationStore.js'
import { gateFiles } from '../gate.js'
import { artifactName } from '../github/artifactName.js'
import type { UploadedArtifact } from '../github/artifactStore.js'
import { messageOf } from '../text.js'
import type { Judged, Run } from './services.js'

/**
 * Uploads what a gate has written (report, results, comparison, adversarial examples, JUnit and SARIF) as an artifact of its
 * name, where that is asked for, and links to it. What fails becomes a warning.
 */
export async function keepFiles(judged: Judged, run: Run): Promise<Judged> {
  const { measured, publish } = judged
  if (!run.inputs.upload || !('files' in measured)) return judged
  const { report } = measured
  const name = artifactName(publish.checkName)
  try {
    const folder = dirname(measured.files.report)
    const archives = report.comparison.threats.map(({ id }) => archiveName(id))
    const { url } = await upload(run, name, folder, [...gateFiles, ...archives])
    return { ...judged, measured: { ...measured, report: { ...report, links: [{ text: `Artifact ${name}`, url }] } } }
  } catch (error) {
    const warnings = [...(report.warnings ?? []), `Artifact ${name} could not be uploaded (${messageOf(error)}).`]
    return { ...judged, measured: { ...measured, report: { ...report, warnings } } }
  }
}

/**
 * Uploads those files of a folder that are there.
 *
 * @throws whatever keeps them from being uploaded.
 */
export async function upload(
  { services: { artifacts } }: Run,
  name: string,
  folder: string,
  names: readonly string[],
): Promise<UploadedArtifact> {
  if (artifacts === undefined)
    throw new Error(
      'this runner has no service for it; GitHub Enterprise Server lacks it, there use actions/upload-artifact@v3',
    )
  return artifacts.upload(name, folder, await present(folder, names))
}

async function present(folder: string, names: readonly string[]): Promise<readonly string[]> {
  const paths = names.map((name) => join(folder, name))
  const isFile = await Promise.all(
    paths.map((path) =>
      lstat(path).then(
        (info) => info.isFile(),
        () => false,
      ),
    ),
  )
  return paths.filter((_, place) => isFile[place])
}
