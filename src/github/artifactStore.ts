import type { DefaultArtifactClient } from '@actions/artifact'
import type { Context, Environment } from './context.js'
import { within } from './within.js'

/** Keeps files of this run after its end, for people and for other jobs. */
export interface ArtifactStore {
  /**
   * @param name - No other artifact of this attempt of the run may have it.
   * @param folder - Absolute; paths in the artifact start here.
   * @param files - Absolute, inside the folder.
   * @throws whatever the service or the network did.
   */
  upload(name: string, folder: string, files: readonly string[]): Promise<UploadedArtifact>
}

export interface UploadedArtifact {
  readonly id: number
  /** For people who may read the repository. */
  readonly url: string
}

/**
 * Milliseconds after which the toolkit is given up: for 100 MB on a line of 2 Mbit/s. It waits without end for the rest of an
 * answer that has begun.
 */
const uploadWithin = 480_000

/**
 * GitHub's store, through its toolkit; undefined outside of a runner, and on Enterprise Server, which lacks it. Once it was
 * given up it is left alone for the rest of the run: many models must not wait for it one after the other.
 */
export function artifactStore(
  environment: Environment,
  { repository, run, serverUrl }: Context,
): ArtifactStore | undefined {
  if (!environment.ACTIONS_RUNTIME_TOKEN || !environment.ACTIONS_RESULTS_URL) return undefined
  if (!/(^github\.com|\.ghe\.com|\.localhost)$/i.test(new URL(serverUrl).hostname)) return undefined
  let stalled = false
  return {
    async upload(name, folder, files) {
      if (stalled) throw new Error('the service did not answer an earlier upload of this run')
      const uploading = (await toolkit()).uploadArtifact(name, [...files], folder)
      const { id } = await within(uploadWithin, uploading, () => (stalled = true))
      if (id === undefined) throw new Error(`the service gave artifact ${name} no number`)
      return { id, url: `${serverUrl}/${repository.owner}/${repository.repo}/actions/runs/${run.id}/artifacts/${id}` }
    },
  }
}

/** Loaded when it is needed: it brings a client of a cloud storage along. */
async function toolkit(): Promise<DefaultArtifactClient> {
  const { DefaultArtifactClient: Client } = await import('@actions/artifact')
  return new Client()
}
