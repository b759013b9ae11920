import { signedPoints, threatTitle } from '../comparison/text.js'
import type { ClassChange, Comparison } from '../comparison/types.js'
import { code, prose } from './escape.js'
import { worstRow } from './headline.js'
import { blocks, bullets, listed, table } from './layout.js'
import { resultTable } from './table.js'
import type { Line, TableDetail } from './table.js'

/** The middle of the report: what changed, for classes and images. Each returns markdown, '' when there is nothing to say. */

export function resultSection(comparison: Comparison, detail: TableDetail): string {
  const { header, lines } = resultTable(comparison, detail)
  const marked = lines.some(({ mark }) => mark !== '')
  const hidden = comparison.threats.length - detail.threats
  return blocks([
    marked
      ? table(
          ['', ...header, ''],
          lines.map((line) => [...tableLine(line), emphasized(line, line.mark)]),
        )
      : table(['', ...header], lines.map(tableLine)),
    hidden > 0 ? `…and ${hidden} more threats, in comparison.json.` : '',
  ])
}

function tableLine(line: Line): readonly string[] {
  const { kind, name, note, cells } = line
  const first = kind === 'attack' ? `${code(name, 40)}${note && ` (${note})`}` : emphasized(line, prose(name, 60))
  return [first, ...cells.map((cell) => emphasized(line, cell))]
}

function emphasized({ kind }: Line, cell: string): string {
  return kind === 'worst-case' && cell !== '' ? `**${cell}**` : cell
}

/** Classes that lost robust images, those that lost the largest part first. */
export function classSection({ classes, threats, rows }: Comparison, limit: number, everyThreat: boolean): string {
  const worst = worstRow(rows)?.threat
  return blocks(
    threats
      .filter(({ id }) => limit > 0 && (everyThreat || id === worst))
      .map((threat) => {
        const lost = classes.filter((one) => one.threat === threat.id && change(one) < 0)
        const sorted = [...lost].sort((one, other) => change(one) - change(other) || one.label - other.label)
        if (sorted.length === 0) return ''
        const more = sorted.length > limit ? `, the worst ${limit} of ${sorted.length}` : ''
        return blocks([
          `**Classes that became easier to fool** under ${threatTitle(threat)}${more}:`,
          table(
            ['Class', 'Images', 'Robust before', 'Robust now', 'Change (points)'],
            sorted.slice(0, limit).map(classLine),
          ),
        ])
      }),
  )
}

function change({ baseline, candidate, samples }: ClassChange): number {
  return (100 * (candidate - baseline)) / samples
}

function classLine(one: ClassChange): readonly string[] {
  return [className(one), ...[one.samples, one.baseline, one.candidate].map(String), signedPoints(change(one))]
}

export function className({ label, name }: Pick<ClassChange, 'label' | 'name'>): string {
  return name === undefined ? `class ${label}` : code(name, 40)
}

/** The images that decide: held by the baseline, lost by the candidate. Indices into the data. */
export function imageSection({ rows, threats }: Comparison, limit: number, everyThreat: boolean): string {
  const worst = worstRow(rows)
  const shown = rows.filter(({ kind, id }) => kind === 'worst-case' && (everyThreat || id === worst?.id))
  const items = shown
    .filter(({ lost }) => limit > 0 && lost.length > 0)
    .map(({ threat, lost, gained, samples }) => {
      const known = threats.find(({ id }) => id === threat)
      const under = known ? ` under ${threatTitle(known)}` : ''
      return `**${images(lost.length)} newly broken** of ${samples}${under} (${gained.length} newly robust): ${listed(lost, limit)}.`
    })
  return items.length > 1 ? bullets(items) : items.join('')
}

function images(number: number): string {
  return number === 1 ? '1 image' : `${number} images`
}
