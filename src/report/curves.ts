import { NORMS, percent, writtenEpsilon } from '../comparison/text.js'
import type { Comparison, Threat } from '../comparison/types.js'
import type { Norm } from '../config/types.js'
import { accuracyAt } from '../evaluation/curves.js'
import type { Curve } from '../evaluation/curves.js'
import { blocks, table } from './layout.js'
import type { Table } from './table.js'
import { terminalTable } from './terminalTable.js'

/** Accuracy as a function of ε, both models beside each other: a few numbers, and the shape in one line of blocks. */

interface Shown {
  readonly title: string
  readonly header: readonly string[]
  readonly lines: readonly { readonly name: string; readonly cells: readonly string[]; readonly shape: string }[]
}

const MEANING =
  'of all images, those that are right and have no known adversarial example within ε: an upper bound of robust accuracy at each ε.'

const EPSILONS = 6
const BLOCKS = '▁▂▃▄▅▆▇█'
const WIDTH = 24

export function curveSection(comparison: Comparison): string {
  return blocks(
    shownCurves(comparison).map(({ title, header, lines }) =>
      blocks([
        `**${title}**: ${MEANING}`,
        table(
          ['', ...header],
          lines.map(({ name, cells, shape }) => [name, ...cells, `\`${shape}\``]),
        ),
      ]),
    ),
  )
}

export function terminalCurves(comparison: Comparison): string {
  return shownCurves(comparison)
    .map(({ title, header, lines }) => {
      const rows: Table['lines'] = lines.map(({ name, cells, shape }) => ({
        kind: 'clean',
        name,
        note: '',
        cells: [...cells, shape],
        mark: '',
      }))
      return `${title}\n${terminalTable({ header, lines: rows }, (text) => text)}`
    })
    .join('\n\n')
}

/** The curves of each norm; none where neither model has one. */
function shownCurves({ candidate, baseline, threats }: Comparison): readonly Shown[] {
  return (['linf', 'l2', 'l1'] as const).flatMap((norm): Shown[] => {
    const models = [
      { name: 'Baseline', curve: baseline?.curves?.[norm] },
      { name: 'Candidate', curve: candidate?.curves?.[norm] },
    ].flatMap(({ name, curve }) => (curve ? [{ name, curve }] : []))
    if (models.length === 0) return []
    const columns = columnsOf(
      threats.filter((threat) => threat.norm === norm),
      models.map(({ curve }) => curve),
    )
    return [
      {
        title: titleOf(norm),
        header: [
          ...columns.map(({ written }) => `ε = ${written}`),
          'Median distance',
          `0 … ${columns.at(-1)?.written}`,
        ],
        lines: models.map(({ name, curve }) => ({
          name,
          cells: [...columns.map(({ epsilon }) => percent(accuracyAt(curve, epsilon))), median(curve)],
          shape: shapeOf(curve, columns.at(-1)?.epsilon ?? 0),
        })),
      },
    ]
  })
}

function titleOf(norm: Norm): string {
  return `Accuracy within ε, ${NORMS[norm]}`
}

interface Column {
  readonly epsilon: number
  readonly written: string
}

/** 0, the ε that were attacked and, where distances are known there, half of the least and multiples of the greatest. */
function columnsOf(threats: readonly Threat[], curves: readonly Curve[]): readonly Column[] {
  const asked = threats
    .map((threat): Column => ({ epsilon: threat.epsilon, written: writtenEpsilon(threat) }))
    .sort((one, other) => one.epsilon - other.epsilon)
  const known = Math.max(...curves.map(({ points }) => points[points.length - 1].epsilon))
  const [least, greatest] = [asked[0].epsilon, asked[asked.length - 1].epsilon]
  const below = curves.some((curve) => accuracyAt(curve, least / 2) < accuracyAt(curve, 0))
  const beyond = [2, 4].filter((times) => known > (times / 2) * greatest)
  const beside = [...(below ? [least / 2] : []), ...beyond.map((times) => times * greatest)]
  const others = beside.map((epsilon): Column => {
    const rounded = Number(epsilon.toPrecision(2))
    return { epsilon: rounded, written: String(rounded) }
  })
  const chosen = asked.length + others.length <= EPSILONS ? [...asked, ...others] : spread(asked, EPSILONS)
  return [{ epsilon: 0, written: '0' }, ...chosen.sort((one, other) => one.epsilon - other.epsilon)]
}

/** So many, with the first and the last. */
function spread<T>(values: readonly T[], count: number): T[] {
  if (values.length <= count) return [...values]
  return Array.from({ length: count }, (_, place) => values[Math.round((place * (values.length - 1)) / (count - 1))])
}

function median({ medianDistance }: Curve): string {
  return medianDistance === undefined ? 'unknown' : String(Number(medianDistance.toPrecision(3)))
}

/** From 0 to `last`; the lowest block is no image, the highest all of them. */
function shapeOf(curve: Curve, last: number): string {
  return Array.from({ length: WIDTH }, (_, place) => {
    const accuracy = accuracyAt(curve, (place * last) / (WIDTH - 1))
    return BLOCKS[Math.round(accuracy * (BLOCKS.length - 1))]
  }).join('')
}
