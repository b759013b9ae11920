import type { Policy } from '../config/types.js'
import { attacksOf } from '../evaluation/attacksOf.js'
import type { Results } from '../evaluation/results.js'
import { isCorrect, withstands } from '../evaluation/summarise.js'
import { dropPValue, holm, mcnemarExact, scoreInterval } from './paired.js'
import { detectableDrop, samplesNeeded } from './power.js'
import { threatTitle } from './text.js'
import type { ClassChange, PairedRow } from './types.js'

type Sample = Results['samples'][number]
type Named = Pick<PairedRow, 'id' | 'kind' | 'threat' | 'attack' | 'survivorsOnly' | 'title' | 'decides'>

/** A row before statistics: what it is called and whether an image counts for it. */
interface Question extends Named {
  readonly holds: (sample: Sample) => boolean
}

/**
 * The table: clean accuracy; then, for each threat, its attacks and their worst case. Clean and the worst cases decide, and
 * their p-values carry Holm's correction.
 */
export function pairedRows(candidate: Results, baseline: Results, policy: Policy): readonly PairedRow[] {
  const questions = questionsOf(candidate, baseline)
  // The level Holm asks of the smallest p-value: power is promised whatever the other rows show.
  const level = policy.significance / questions.filter(({ decides }) => decides).length
  const rows = questions.map((question) => {
    const counted = countRow(question, candidate.samples, baseline.samples)
    const allowed = question.kind === 'clean' ? policy.maxCleanDrop : policy.maxRobustDrop
    return measureRow(counted, allowed, question.decides ? level : policy.significance)
  })
  return withHolm(clearCleanBudget(rows, policy, level))
}

/** Of the attacks those that were run on both: a model without a gradient has not withstood what was not tried on it. */
function questionsOf(candidate: Results, baseline: Results): readonly Question[] {
  const { threats, suite } = candidate
  const tried = new Set(attacksOf(baseline).map(({ id }) => id))
  const attacks = attacksOf(candidate).filter(({ id }) => tried.has(id))
  const clean: Question = { id: 'clean', kind: 'clean', title: 'Clean', decides: true, holds: isCorrect }
  return [
    clean,
    ...threats.flatMap((threat): Question[] => [
      ...attacks.map((attack): Question => ({
        id: `${threat.id}/${attack.id}`,
        kind: 'attack',
        threat: threat.id,
        attack: attack.id,
        ...(attack.survivorsOnly === true && { survivorsOnly: true }),
        title: attack.id,
        decides: false,
        holds: (sample) => withstands(sample, threat.id, suite.attacks, attack),
      })),
      {
        id: threat.id,
        kind: 'worst-case',
        threat: threat.id,
        title: `Worst case, ${threatTitle(threat)}`,
        decides: true,
        holds: (sample) => sample.threats[threat.id].robust,
      },
    ]),
  ]
}

type Counted = Named & Pick<PairedRow, 'samples' | 'baseline' | 'candidate' | 'lost' | 'gained'>

/** The pairing: entry by entry, the same image in both. */
function countRow({ holds, ...named }: Question, candidate: readonly Sample[], baseline: readonly Sample[]): Counted {
  const lost: number[] = []
  const gained: number[] = []
  let held = 0
  candidate.forEach((sample, place) => {
    const [now, before] = [holds(sample), holds(baseline[place])]
    if (before) held++
    if (before && !now) lost.push(sample.index)
    if (now && !before) gained.push(sample.index)
  })
  return {
    ...named,
    samples: candidate.length,
    baseline: held,
    candidate: held - lost.length + gained.length,
    lost,
    gained,
  }
}

/** `allowed` in percentage points; `level` is that of the one-sided test whose power is told. */
function measureRow(counted: Counted, allowed: number, level: number): PairedRow {
  const counts = { samples: counted.samples, lost: counted.lost.length, gained: counted.gained.length }
  // Multiplied before it is divided, so that 5 of 500 is exactly 1 point.
  const drop = (100 * (counts.lost - counts.gained)) / counts.samples
  const [lower, upper] = scoreInterval(counts)
  const detectable = detectableDrop(counts, allowed / 100, level)
  return {
    ...counted,
    drop,
    interval: [100 * lower, 100 * upper],
    allowed,
    pValue: dropPValue(counts, allowed / 100),
    mcnemar: mcnemarExact(counts.lost, counts.gained),
    detectable: detectable === undefined ? undefined : 100 * detectable,
    samplesNeeded: drop > allowed ? samplesNeeded(counts, allowed / 100, level) : undefined,
  }
}

/** Threats whose robust accuracy rises significantly (one-sided score test of "no rise", Holm over the threats). */
export function risenThreats(rows: readonly PairedRow[], significance: number): readonly PairedRow[] {
  const worstCases = rows.filter(({ kind }) => kind === 'worst-case')
  const adjusted = holm(
    worstCases.map(({ samples, lost, gained }) => dropPValue({ samples, lost: gained.length, gained: lost.length }, 0)),
  )
  return worstCases.filter((row, place) => row.drop < 0 && adjusted[place] <= significance)
}

/** More robust models usually give up some clean accuracy: allowed when a threat's robust accuracy rises and none falls. */
function clearCleanBudget(rows: readonly PairedRow[], policy: Policy, level: number): readonly PairedRow[] {
  const falls = rows.some(({ kind, drop }) => kind === 'worst-case' && drop > 0)
  if (policy.cleanBudget <= policy.maxCleanDrop || falls || risenThreats(rows, policy.significance).length === 0)
    return rows
  return rows.map((row) => (row.kind === 'clean' ? measureRow(row, policy.cleanBudget, level) : row))
}

function withHolm(rows: readonly PairedRow[]): readonly PairedRow[] {
  const deciding = rows.filter(({ decides }) => decides)
  const adjusted = holm(deciding.map(({ pValue }) => pValue))
  return rows.map((row) => (row.decides ? { ...row, adjustedPValue: adjusted[deciding.indexOf(row)] } : row))
}

/** Per class (label ascending) and threat: images that were robust in each model. */
export function classChanges(candidate: Results, baseline: Results): readonly ClassChange[] {
  const labels = [...new Set(candidate.samples.map(({ label }) => label))].sort((one, other) => one - other)
  const names = candidate.data.classNames ?? baseline.data.classNames
  return candidate.threats.flatMap(({ id }) =>
    labels.map((label): ClassChange => {
      const ofClass = (samples: readonly Sample[]) => samples.filter((sample) => sample.label === label)
      const robust = (samples: readonly Sample[]) => ofClass(samples).filter(({ threats }) => threats[id].robust).length
      const name = names?.[label]
      return {
        label,
        ...(name !== undefined && { name }),
        threat: id,
        samples: ofClass(candidate.samples).length,
        baseline: robust(baseline.samples),
        candidate: robust(candidate.samples),
      }
    }),
  )
}
