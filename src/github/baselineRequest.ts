import { resolve } from 'node:path'
import type { ArtifactSpec } from './artifactReader.js'
import type { RemoteCommit } from './contents.js'
import type { OpenRemote } from './remoteSources.js'

/** What a workflow asks for, and what is known of the candidate that it is for. */
export interface BaselineRequest {
  /**
   * `auto`, `none`, `ref:BRANCH|TAG|SHA`, `path:FILE`, `results:FILE`, `artifact:NAME[/path]`,
   * `release:TAG/NAME`, `https://…#sha256=…`.
   */
  readonly spec: string
  /** Absolute path of the candidate. */
  readonly model: string
  /** Likewise of the one that the config names, where the workflow names another. */
  readonly former?: string
  /** Where relative paths of `path:` and `results:` start. */
  readonly workspace: string
  /** A pull request could have changed a committed baseline: then the base commit's counts. */
  readonly guarded: boolean
  /** The candidate is an artifact of this run, and no file of the workspace. */
  readonly artifact?: ArtifactSpec
  /** The candidate comes from a server, and git does not know it. */
  readonly fetched?: boolean
  readonly openRemote?: OpenRemote
  /** Of what the gate itself uploads. */
  readonly ownArtifact?: string
  /** For a workspace that is no clone. */
  readonly remote?: RemoteCommit
}

/** `kind:argument`; both are empty of anything else. */
export function splitSpec(spec: string): readonly [kind: string, argument: string] {
  const colon = spec.indexOf(':')
  const argument = spec.slice(colon + 1).trim()
  return colon > 0 && argument !== '' ? [spec.slice(0, colon).trim(), argument] : ['', '']
}

/** The file of a committed baseline, where a request names one. */
export function baselineFile({ spec, workspace }: Pick<BaselineRequest, 'spec' | 'workspace'>): string | undefined {
  const [kind, argument] = splitSpec(spec)
  return kind === 'path' || kind === 'results' ? resolve(workspace, argument) : undefined
}
