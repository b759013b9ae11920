import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { strToU8, zipSync } from 'fflate'
import { parseConfig } from '../../../src/config/parse.js'
import { suiteOf } from '../../../src/evaluation/evaluate.js'
import type { Results } from '../../../src/evaluation/results.js'
import { formatResults } from '../../../src/evaluation/resultsFile.js'
import { fates, handmadeBaseline, handmadeResults } from '../../comparison/handmade.js'
import type { HeldJob } from './heldJob.js'
import { actionsToken, startGitHub } from './loopback.js'
import type { Extension, LoopbackGitHub } from './loopback.js'
import { exampleOf } from './payloads.js'
import { hostRepository } from './repository.js'
import type { HostedRepository } from './repository.js'
import { installAction, runJob } from './runner.js'
import type { InstalledAction, Outcome } from './runner.js'
import { hostRuns } from './workflowRuns.js'
import type { HostedPull, HostedRuns } from './workflowRuns.js'

export const config = 'epsilon: 0.1\nsuite: standard@1\n'
export const suite = suiteOf(parseConfig({ file: { name: 'robustness.yml', text: config } }))
export const robust = handmadeResults(fates('R', 150, 'p', 50), { suite })
export const base = handmadeBaseline(fates('R', 150, 'p', 50), { suite })
export const weak = handmadeResults(fates('R', 30, 'p', 170), { suite })

/** The head of a stranger's pull request, and a commit that is not. */
export const head = 'c0ffee'.padEnd(40, '0')
export const other = 'bad'.padEnd(40, '0')
export const mallorys: HostedPull = {
  number: 2,
  from: 'mallory/Hello-World',
  branch: 'feature',
  sha: head,
  baseSha: 'a'.repeat(40),
}

/** The action without the child's program and the native runtime: whatever it does, it loads no model. */
export async function installPublisher(): Promise<InstalledAction> {
  const action = await installAction()
  for (const part of ['worker', 'bin', 'cli']) await rm(join(action.folder, 'dist', part), { recursive: true })
  return action
}

export type Files = Readonly<Record<string, string | Uint8Array>>

/** A repository whose default branch has a config, and a pull request of Mallory's whose run, 77, has ended. */
export interface Publishing {
  readonly github: LoopbackGitHub
  readonly hosted: HostedRepository
  readonly runs: HostedRuns
  /** A checkout of the default branch. */
  readonly workspace: string
  readonly upload: (files: Files, artifact?: { name?: string; expired?: boolean; run?: number }) => void
  readonly uploadResults: (candidate: Results, baseline?: Results, more?: Files) => void
  /** Runs the second workflow. `changes` are of the payload's run. */
  readonly publish: (
    changes?: object,
    inputs?: Readonly<Record<string, string>>,
    workspace?: string,
    held?: HeldJob,
  ) => Promise<Outcome>
  readonly close: () => Promise<void>
}

export async function startPublishing(
  action: InstalledAction,
  extensions: readonly Extension[] = [],
): Promise<Publishing> {
  const runs = hostRuns()
  runs.pulls.push(mallorys)
  const hosted = await hostRepository()
  const workspace = await hosted.checkout(await hosted.commit('main', { 'robustness.yml': config }), 1)
  const tokens = { ghs_writes: actionsToken }
  const github = await startGitHub({
    ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens, extensions: [runs, ...extensions] },
  })
  const upload: Publishing['upload'] = (
    files,
    { name = 'robustness-gate-results', expired = false, run = 77 } = {},
  ) => {
    const packed = Object.entries(files).map(([path, content]) => [
      path,
      typeof content === 'string' ? strToU8(content) : content,
    ])
    runs.artifacts.push({ run, name, expired, zip: zipSync(Object.fromEntries(packed)) })
  }
  return {
    ...{ github, hosted, runs, workspace, upload },
    uploadResults(candidate, baseline = base, more = {}) {
      upload({ 'results.json': formatResults(candidate), 'baseline.json': formatResults(baseline), ...more })
    },
    publish(changes = {}, inputs = {}, folder = workspace, held?: HeldJob) {
      const example = exampleOf('workflow_run')
      const ofFork = { full_name: mallorys.from, owner: { login: 'mallory' } }
      const payload = {
        ...example,
        workflow_run: {
          ...example.workflow_run,
          ...{ id: 77, run_attempt: 1, event: 'pull_request', conclusion: 'success' },
          ...{ head_sha: head, head_branch: 'feature', head_repository: ofFork, pull_requests: [] },
          ...changes,
        },
      }
      const job = {
        ...{ event: 'workflow_run', payload, sha: 'd'.repeat(40), workspace: folder, apiUrl: github.url },
        ...{ token: 'ghs_writes', inputs: { mode: 'publish', config: 'robustness.yml', ...inputs } },
      }
      return runJob(action, { ...job, environment: held?.environment }, held?.onStart)
    },
    async close() {
      await hosted.remove()
      await github.close()
    },
  }
}
