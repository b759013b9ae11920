import { compare } from '../comparison/compare.js'
import { percent } from '../comparison/text.js'
import type { Comparison } from '../comparison/types.js'
import type { Policy } from '../config/types.js'
import type { Results } from '../evaluation/results.js'
import { curveSection, terminalCurves } from './curves.js'
import { detailsSections } from './details.js'
import { code, plain } from './escape.js'
import { doubtSection, flagText } from './flags.js'
import { blocks, firstThatFits, links, table } from './layout.js'
import type { Link } from './layout.js'
import { LIMITS } from './markdown.js'
import { className, resultSection } from './sections.js'
import { resultTable } from './table.js'
import { painter, terminalTable } from './terminalTable.js'
import type { TerminalOptions } from './terminal.js'

export interface EvaluationReportOptions extends Partial<TerminalOptions> {
  readonly links?: readonly Link[]
}

/** No limits: an evaluation alone is not judged. */
const NO_POLICY: Policy = {
  maxRobustDrop: 100,
  maxCleanDrop: 100,
  cleanBudget: 100,
  decision: 'observed',
  significance: 0.05,
  failOn: 'never',
}

/** One model's results, without a baseline and without a verdict: for `evaluate` and `report`. Text of others is escaped. */
export function evaluationReport(
  results: Results,
  { color = false, links: list = [] }: EvaluationReportOptions = {},
): { readonly markdown: string; readonly terminal: string } {
  const measured = { ...compare(results, undefined, NO_POLICY), policy: undefined }
  return { markdown: markdown(results, measured, list), terminal: terminal(results, measured, color) }
}

function markdown(results: Results, measured: Comparison, list: readonly Link[]): string {
  const details = [
    { classes: 1_000, attacks: true, threats: 100, flags: 200 },
    { classes: 0, attacks: false, threats: 50, flags: 20 },
  ]
  return firstThatFits(
    details,
    LIMITS.full,
    (detail) =>
      `${blocks([
        `**Robustness of ${code(results.model.name)}** on ${results.samples.length} images`,
        resultSection(measured, detail),
        curveSection(measured),
        doubtSection(measured, detail.flags),
        classTable(results, detail.classes),
        detailsSections(measured, { candidate: results }, detail),
        links(list),
      ])}\n`,
  )
}

function classTable({ summary, threats }: Results, limit: number): string {
  const robust = threats.map(({ id }) => `Robust, ${code(id, 40)}`)
  return table(
    ['Class', 'Images', 'Clean', ...robust],
    summary.classes
      .slice(0, limit)
      .map((one) => [
        className(one),
        String(one.samples),
        percent(one.correct / one.samples),
        ...threats.map(({ id }) => percent((one.robust[id] ?? 0) / one.samples)),
      ]),
  )
}

function terminal({ model, samples, flags }: Results, measured: Comparison, color: boolean): string {
  const notes = flags.map((flag) => `• ${flagText(flag)}`)
  const parts = [
    `${plain(model.name, 80)} on ${samples.length} images`,
    terminalTable(resultTable(measured, { attacks: true, threats: Infinity }), painter(color)),
    terminalCurves(measured),
    notes.join('\n'),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}
