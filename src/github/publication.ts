import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { headline } from '../report/headline.js'
import { markdownReport } from '../report/markdown.js'
import type { MarkdownOptions } from '../report/markdown.js'
import { conclusionOf } from './checkRun.js'
import type { Context } from './context.js'
import type { Publication } from './publish.js'

export interface Report {
  readonly comparison: Comparison
  readonly results?: MarkdownOptions['results']
  /** Sentences about where model, baseline, config and data came from. */
  readonly notes: readonly string[]
}

/** What people read on GitHub: a comment and a check run, from the same text. */
export function publicationOf(report: Report, { publish }: Pick<Config, 'publish'>, context: Context): Publication {
  const { icon, verdict, sentence } = headline(report.comparison)
  const markdown = reportMarkdown(report, 'comment', publish.checkName, context.runUrl)
  const { event } = context
  return {
    check: {
      headSha: event.headSha,
      checkName: publish.checkName,
      conclusion: conclusionOf(report.comparison.verdict),
      title: [...`${icon} ${verdict}: ${sentence}`].slice(0, 250).join(''),
      summary: markdown,
      detailsUrl: context.runUrl,
    },
    comment:
      event.kind === 'pull_request' && publish.comment === 'always'
        ? { pullRequest: event.number, markdown }
        : undefined,
  }
}

/** The report with its notes. */
export function reportMarkdown(
  { comparison, results, notes }: Report,
  tier: MarkdownOptions['tier'],
  title: string,
  runUrl: string,
): string {
  const links = [{ text: 'Run', url: runUrl }]
  // The report signs with the tool's name; a gate of the same name need not be told twice.
  const named = /^robustness gate$/i.test(title) ? undefined : title
  return markdownReport(comparison, { tier, results, title: named, links, notes })
}
