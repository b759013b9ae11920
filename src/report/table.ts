import { percent, points, signedPoints, threatTitle } from '../comparison/text.js'
import type { Comparison, PairedRow, Threat } from '../comparison/types.js'

/** A line of the table, before it is laid out. Every text but `name` is ours; `name` has still to be escaped. */
export interface Line {
  readonly kind: PairedRow['kind']
  /** `Clean`, an attack's id, `Worst case, Linf ε = 0.1`. */
  readonly name: string
  /** What is to be known of the name: the threat where there are several, that an attack got survivors only. */
  readonly note: string
  readonly cells: readonly string[]
  readonly mark: '✓' | '✗' | '?' | ''
}

export interface Table {
  readonly header: readonly string[]
  readonly lines: readonly Line[]
}

/** What an attack for survivors got: where smaller ε of its norm were attacked first, less than what those before it left. */
function survivorsOf(threat: Threat | undefined, threats: readonly Threat[]): string {
  const isLater = threats.some(({ norm, epsilon }) => threat && norm === threat.norm && epsilon < threat.epsilon)
  return isLater ? 'on what those before it and smaller ε left' : 'on what those before it left'
}

/** How much of the table there is room for. */
export interface TableDetail {
  readonly attacks: boolean
  readonly threats: number
}

/** Clean, each attack, worst case; against the baseline where there is one, against the absolute limits where not. */
export function resultTable(comparison: Comparison, { attacks, threats }: TableDetail): Table {
  const shown = new Set(comparison.threats.slice(0, threats).map(({ id }) => id))
  const table = comparison.rows.length > 0 ? pairedTable(comparison, shown) : absoluteTable(comparison, shown)
  return { ...table, lines: table.lines.filter(({ kind }) => attacks || kind !== 'attack') }
}

function pairedTable(comparison: Comparison, shown: ReadonlySet<string>): Table {
  const several = comparison.threats.length > 1
  const lines = comparison.rows
    .filter(({ threat }) => threat === undefined || shown.has(threat))
    .map((row): Line => {
      const threat = comparison.threats.find(({ id }) => id === row.threat)
      const notes = [
        several && row.kind === 'attack' && threat && threatTitle(threat),
        row.survivorsOnly && survivorsOf(threat, comparison.threats),
      ].filter((note) => typeof note === 'string')
      return {
        kind: row.kind,
        name: row.title,
        note: notes.join(', '),
        cells: [
          percent(row.baseline / row.samples),
          percent(row.candidate / row.samples),
          signedPoints(-row.drop),
          changeInterval(row),
        ],
        mark: mark(comparison, row),
      }
    })
  return { header: ['Baseline', 'Candidate', 'Change (points)', '95 % interval'], lines }
}

/** The interval of the change, which is that of the drop turned round. */
function changeInterval({ interval: [lower, upper] }: PairedRow): string {
  return `${signedPoints(-upper)} … ${signedPoints(-lower)}`
}

function mark({ verdict }: Comparison, { id, decides }: Pick<PairedRow, 'id' | 'decides'>): Line['mark'] {
  const codes = verdict.reasons.filter(({ row }) => row === id).map(({ code }) => code)
  if (codes.some((code) => /^(robust-drop|clean-drop|min-robust-accuracy|min-clean-accuracy)$/.test(code))) return '✗'
  if (codes.some((code) => code.endsWith('-unproven'))) return '?'
  return decides ? '✓' : ''
}

function absoluteTable(comparison: Comparison, shown: ReadonlySet<string>): Table {
  const { candidate, policy, suite, threats } = comparison
  if (!candidate) return { header: [], lines: [] }
  const several = threats.length > 1
  const limited = policy?.minCleanAccuracy !== undefined || policy?.minRobustAccuracy !== undefined
  const line = (named: Pick<Line, 'kind' | 'name' | 'note'>, accuracy: number, id: string, limit?: number): Line => ({
    ...named,
    cells: [percent(accuracy), ...(limited ? [limit === undefined ? '' : percent(limit)] : [])],
    mark: limit === undefined ? '' : mark(comparison, { id, decides: true }),
  })
  const survivors = new Set(suite?.attacks?.filter(({ survivorsOnly }) => survivorsOnly).map(({ id }) => id))
  const ofThreat = (threat: Threat): readonly Line[] => {
    const title = threatTitle(threat)
    const attacks = Object.entries(candidate.attacks[threat.id] ?? {}).map(([attack, accuracy]) => {
      const note = [...(several ? [title] : []), ...(survivors.has(attack) ? [survivorsOf(threat, threats)] : [])].join(
        ', ',
      )
      return line({ kind: 'attack', name: attack, note }, accuracy, `${threat.id}/${attack}`)
    })
    const worst = { kind: 'worst-case', name: `Worst case, ${title}`, note: '' } as const
    return [...attacks, line(worst, candidate.robustAccuracy[threat.id], threat.id, policy?.minRobustAccuracy)]
  }
  const clean = line(
    { kind: 'clean', name: 'Clean', note: '' },
    candidate.cleanAccuracy,
    'clean',
    policy?.minCleanAccuracy,
  )
  return {
    header: limited ? ['Candidate', 'Required'] : ['Candidate'],
    lines: [clean, ...threats.filter(({ id }) => shown.has(id)).flatMap(ofThreat)],
  }
}

/** `1.0 points of clean accuracy (budget 3.0), 1.0 points of robust accuracy`, for the details. */
export function allowance({ policy }: Comparison): string {
  if (!policy) return ''
  const limits = [
    `${points(policy.maxCleanDrop)} points of clean accuracy (${points(policy.cleanBudget)} when robust accuracy rises significantly)`,
    `${points(policy.maxRobustDrop)} points of robust accuracy`,
    policy.minCleanAccuracy !== undefined && `clean accuracy at least ${percent(policy.minCleanAccuracy)}`,
    policy.minRobustAccuracy !== undefined && `robust accuracy at least ${percent(policy.minRobustAccuracy)}`,
  ].filter((limit) => typeof limit === 'string')
  return limits.join(', ')
}
