import { plain } from './escape.js'
import type { Line, Table } from './table.js'

type Paint = (text: string, style: keyof typeof STYLES) => string

const STYLES = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' } as const

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

/** In characters, as a terminal counts them. */
export function length(text: string): number {
  return [...text].length
}

export function painter(color: boolean): Paint {
  return (text, style) => (color ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text)
}
