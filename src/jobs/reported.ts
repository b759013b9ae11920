import { posix } from 'node:path'
import { compare, unchangedComparison } from '../comparison/compare.js'
import { assertAsConfigured } from '../comparison/pairing.js'
import { assertTransfer } from '../comparison/transfer.js'
import type { Absence, Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { idxLabelNames } from '../data/locate.js'
import { UsageError } from '../errors.js'
import { suiteOf, withBounds } from '../evaluation/evaluate.js'
import type { Results } from '../evaluation/results.js'
import { unattacked } from '../gate.js'
import { mayBeSpared } from '../gateConditions.js'
import { baselineFile } from '../github/baselineRequest.js'
import { changeOfModel } from '../github/changedFiles.js'
import type { ChangedFiles, GoverningPath } from '../github/changedFiles.js'
import type { Reported, Spared } from '../github/uploads.js'
import { oneLine } from '../text.js'
import type { Run } from './services.js'
import { inRepository } from './tell.js'

/** What the pull request changes that a run was started by; `none` where it was started by none. */
export type Changes = ChangedFiles | 'unknown' | 'none'

/**
 * Compares what another run has reported, and judges it by this config.
 *
 * @param model - The candidate's path in the repository, where the config tells.
 * @throws UsageError where what is reported contradicts the config, the pull request or itself.
 */
export function comparedAsReported(config: Config, reported: Reported, changes: Changes, model?: string): Comparison {
  const { candidate, baseline, spared, said } = reported
  const { range } = config.dataOptions
  if (candidate === undefined || spared !== undefined) {
    if (spared === undefined || !mayBeSpared(config))
      throw new UsageError(
        'the run attacked nothing, though the config of the default branch has an absolute limit; evaluate with the same config',
      )
    refuseChanged(spared, changes, model)
    return unchangedComparison({ ...unattacked(config, { ...spared.data, range }), origins: spared.origins })
  }
  assertAsConfigured(candidate, {
    ...{ suite: suiteOf(config), threats: withBounds(config.threats, range), seed: config.seed },
  })
  const origins = originsIn(said, candidate, baseline)
  if (baseline === undefined)
    return compare(candidate, undefined, config.policy, { absence: absenceOf(config, said, changes), origins })
  const transfer = said?.transfer
  if (transfer !== undefined) assertTransfer(transfer, { candidate, baseline })
  return compare(candidate, baseline, config.policy, { transfer, origins })
}

/** What GitHub itself says of the pull request's files counts for more than the run's word that the model is unchanged. */
function refuseChanged({ origins }: Spared, changes: Changes, model?: string): void {
  if (changes === 'none') return
  if (changes === 'unknown')
    throw new Error(
      'the run says that the model is unchanged, and the pull request’s files could not be listed to see that it is; run this job again',
    )
  const changed = changeOfModel(changes.paths, model ?? origins.candidate?.name ?? '', model !== undefined)
  if (changed !== undefined)
    throw new UsageError(
      `the run says that the model is unchanged and attacked nothing, but the pull request changes ${oneLine(changed, 200)}; run it again`,
    )
  if (!changes.complete)
    throw new UsageError(
      'the run says that the model is unchanged, and the pull request changes more files than GitHub lists; change less at once',
    )
}

/** A baseline that is not there is no first adoption but where the run says so. */
function absenceOf(config: Config, said: Comparison | undefined, changes: Changes): Absence {
  if (config.baseline === 'none') return { state: 'none' }
  if (said === undefined)
    return { state: 'broken', why: 'the run uploaded no results of it, and no comparison.json that says why' }
  const { baseline: state, why } = said.verdict
  if (state === 'present')
    return { state: 'broken', why: 'the run says that it had one, and uploaded no results of it' }
  if (state === 'none' && changes !== 'none')
    return { state: 'missing', why: 'the run was asked for none, which the config of the default branch does not say' }
  return { state, why }
}

/** Where the models came from, by the run's word. */
function originsIn(said: Comparison | undefined, candidate: Results, baseline?: Results): Comparison['origins'] {
  const origins = said?.origins
  for (const [role, results] of [
    ['candidate', candidate],
    ['baseline', baseline],
  ] as const) {
    const sha256 = origins?.[role]?.sha256
    if (results !== undefined && sha256 !== undefined && sha256 !== results.model.sha256)
      throw new UsageError(`comparison.json is of another ${role} than the results; evaluate again`)
  }
  return origins
}

/** What decides how the pull request is judged, by path in the repository; where the config does not name the data, by their own name. */
export function governingOf(
  config: Config,
  { candidate, spared }: Reported,
  changes: ChangedFiles,
  run: Run,
): readonly GoverningPath[] {
  const { workspace, inputs } = run
  const { labels, classNames } = config.dataOptions
  const data =
    config.data === undefined
      ? namedLike((candidate?.data ?? spared?.data)?.name, changes)
      : inRepository(config.data, run)
  const besideData = labels === undefined && data !== undefined ? idxLabelNames(posix.basename(data)) : []
  const known: readonly (readonly [GoverningPath['kind'], string | undefined])[] = [
    ['config', inRepository(inputs.config, run)],
    ['baseline', inRepository(baselineFile({ spec: config.baseline ?? 'auto', workspace }), run)],
    ['data', data],
    ['labels', inRepository(labels, run)],
    ...besideData.map((name) => ['labels', posix.join(posix.dirname(data ?? ''), name)] as const),
    ['class names', inRepository(classNames, run)],
  ]
  return known.flatMap(([kind, path]) => (path === undefined ? [] : [{ kind, path }]))
}

function namedLike(name: string | undefined, { paths }: ChangedFiles): string | undefined {
  return name === undefined ? undefined : paths.find((path) => `/${path}/`.includes(`/${name}/`))
}
