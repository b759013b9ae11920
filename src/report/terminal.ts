import type { Comparison } from '../comparison/types.js'
import { advice } from './advice.js'
import { plain } from './escape.js'
import { decidingReasons, headline, worstRow } from './headline.js'
import { listed } from './layout.js'
import { resultTable } from './table.js'
import type { Line, Table } from './table.js'

export interface TerminalOptions {
  readonly color: boolean
  /** Columns. Sentences are wrapped; the table is as wide as it needs to be. */
  readonly width: number
}

type Paint = (text: string, style: keyof typeof STYLES) => string

const STYLES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const

/** A comparison for a terminal: the table, the verdict, what to do next. Text of others cannot move the cursor. No newline at its end. */
export function terminalReport(comparison: Comparison, { color, width }: TerminalOptions): string {
  const paint = painter(color)
  const { failure, verdict } = comparison
  const { icon, verdict: word, sentence } = headline(comparison)
  const style = { regression: 'red', error: 'red', inconclusive: 'yellow', pass: 'green' } as const
  const [first] = verdict.outcome === 'pass' ? [] : decidingReasons(comparison)
  const further = verdict.reasons.filter(
    (reason) => reason !== first && !/^(error|within-limits|unchanged)$/.test(reason.code),
  )
  const table = resultTable(comparison, { attacks: true, threats: Infinity })
  const parts = [
    table.lines.length > 0 ? terminalTable(table, paint) : '',
    wrapped(`${icon} ${word}: ${plain(sentence)}`, width, '').replace(word, () => paint(word, style[verdict.outcome])),
    failure ? wrapped(plain(failure.message, 1_000), width, '  ') : '',
    brokenImages(comparison, width),
    further.map(({ message }) => wrapped(`• ${plain(message)}`, width, '  ')).join('\n'),
    advice(comparison)
      .map((step) => wrapped(`→ ${step.replace(/`/g, '')}`, width, '  '))
      .join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function brokenImages({ rows }: Comparison, width: number): string {
  const worst = worstRow(rows)
  if (!worst || worst.lost.length === 0) return ''
  const under = plain(worst.title.replace(/^Worst case, /, ''), 60)
  return wrapped(`Newly broken under ${under}: ${worst.lost.length} images: ${listed(worst.lost, 20)}`, width, '  ')
}

/** Columns aligned: names to the left, numbers to the right. */
export function terminalTable({ header, lines }: Table, paint: Paint): string {
  const texts = [['', ...header, ''], ...lines.map((line) => [nameOf(line), ...line.cells, line.mark])]
  const widths = texts[0].map((_, column) => Math.max(...texts.map((row) => length(row[column]))))
  const align = (row: readonly string[]) =>
    row.map((text, column) => {
      const space = ' '.repeat(widths[column] - length(text))
      return column === 0 ? text + space : space + text
    })
  return texts
    .map((row, place) => {
      const text = align(row).join('  ').trimEnd()
      if (place === 0) return paint(text, 'dim')
      const { kind, mark } = lines[place - 1]
      const colored = mark === '✗' ? paint(text, 'red') : mark === '?' ? paint(text, 'yellow') : text
      return kind === 'worst-case' ? paint(colored, 'bold') : colored
    })
    .join('\n')
}

function nameOf({ name, note, kind }: Line): string {
  const shown = plain(name, 40)
  return `${kind === 'attack' ? '  ' : ''}${shown}${note === '' ? '' : ` (${note})`}`
}

function length(text: string): number {
  return [...text].length
}

export function painter(color: boolean): Paint {
  return (text, style) => (color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text)
}

/** Words in lines of at most `width` characters, those after the first indented. */
export function wrapped(text: string, width: number, indent: string): string {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const line = lines.at(-1)
    if (line !== undefined && length(line) + 1 + length(word) <= width) lines[lines.length - 1] = `${line} ${word}`
    else lines.push(line === undefined ? word : indent + word)
  }
  return lines.join('\n')
}
