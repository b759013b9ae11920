import type { Comparison } from '../comparison/types.js'
import { acceptanceSentence } from './acceptance.js'
import { advice } from './advice.js'
import { plain } from './escape.js'
import { doubts, flagText } from './flags.js'
import { decidingReasons, headline, worstRow } from './headline.js'
import { listed } from './layout.js'
import { terminalCurves } from './curves.js'
import { resultTable } from './table.js'
import { length, painter, terminalTable } from './terminalTable.js'

export interface TerminalOptions {
  readonly color: boolean
  /** Columns. Sentences are wrapped; the table is as wide as it needs to be. */
  readonly width: number
}

/** The rest is in comparison.json. */
const MOST_DOUBTS = 8

/** A comparison for a terminal: the table, the verdict, what to do next. Text of others cannot move the cursor. No newline at its end. */
export function terminalReport(comparison: Comparison, { color, width }: TerminalOptions): string {
  const paint = painter(color)
  const { failure, verdict } = comparison
  const { appeal } = verdict
  const { icon, verdict: word, sentence } = headline(comparison)
  const style = { regression: 'red', error: 'red', inconclusive: 'yellow', pass: 'green' } as const
  const [first] = verdict.outcome === 'pass' ? [] : decidingReasons(comparison)
  const further = verdict.reasons.filter(
    (reason) => reason !== first && !/^(error|within-limits|unchanged)$/.test(reason.code),
  )
  const table = resultTable(comparison, { attacks: true, threats: Infinity })
  const parts = [
    table.lines.length > 0 ? terminalTable(table, paint) : '',
    terminalCurves(comparison),
    wrapped(`${icon} ${word}: ${plain(sentence)}`, width, '').replace(word, () => paint(word, style[verdict.outcome])),
    failure ? wrapped(plain(failure.message, 1_000), width, '  ') : '',
    verdict.acceptance ? wrapped(plain(acceptanceSentence(verdict.acceptance)), width, '  ') : '',
    brokenImages(comparison, width),
    doubts(comparison.flags)
      .slice(0, MOST_DOUBTS)
      .map((flag) => wrapped(`• ${flagText(flag, flag.model)}`, width, '  '))
      .join('\n'),
    further.map(({ message }) => wrapped(`• ${plain(message)}`, width, '  ')).join('\n'),
    [...advice(comparison).map((step) => step.replace(/`/g, '')), ...(appeal === undefined ? [] : [plain(appeal, 800)])]
      .map((step) => wrapped(`→ ${step}`, width, '  '))
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
