import type { Comparison } from '../comparison/types.js'
import type { Config } from '../config/types.js'
import { headline } from '../report/headline.js'
import { markdownReport } from '../report/markdown.js'
import type { Link } from '../report/layout.js'
import type { MarkdownOptions } from '../report/markdown.js'
import { annotationsOf } from './annotations.js'
import type { AnnotatedFiles } from './annotations.js'
import { conclusionOf } from './checkRun.js'
import type { Context, Event } from './context.js'
import type { Publication } from './publish.js'
import { digestOf } from './sections.js'
import type { SectionMark } from './sections.js'
import { isOfPullRequest } from './workflowRun.js'

export interface Report {
  readonly comparison: Comparison
  readonly results?: MarkdownOptions['results']
  /** Sentences about where model, baseline, config and data came from. */
  readonly notes: readonly string[]
  /** To what else there is of it. */
  readonly links?: readonly Link[]
  /** For the log alone: what could not be found out. */
  readonly warnings?: readonly string[]
}

/** What people read on GitHub: a comment and a check run, from the same text. */
export function publicationOf(
  report: Report,
  { publish }: Pick<Config, 'publish'>,
  context: Context,
  files: AnnotatedFiles = {},
): Publication {
  const { comparison, notes } = report
  const { icon, verdict, sentence } = headline(comparison)
  const { event, run, runUrl, repository, serverUrl } = context
  return {
    check: {
      headSha: event.headSha,
      checkName: publish.checkName,
      conclusion: conclusionOf(comparison.verdict),
      title: [...`${icon} ${verdict}: ${sentence}`].slice(0, 250).join(''),
      summary: reportMarkdown(report, 'comment', publish.checkName, runUrl),
      detailsUrl: runUrl,
      mark: {
        comment: publish.comment,
        fails: comparison.verdict.fails,
        digest: digestOf(comparison, notes),
        run,
        ...pullRequestOf(event),
        ...judgedModel(comparison),
      },
      annotations: annotationsOf(comparison, files),
    },
    ...(event.kind === 'pull_request' && {
      pullRequest: {
        number: event.number,
        checksUrl: `${serverUrl}/${repository.owner}/${repository.repo}/pull/${event.number}/checks`,
      },
    }),
  }
}

function pullRequestOf(event: Event): Pick<SectionMark, 'pullRequest'> {
  if (event.kind === 'pull_request') return { pullRequest: event.number }
  return event.kind === 'workflow_run' && isOfPullRequest(event) ? { pullRequest: 'unknown' } : {}
}

/** What was not judged was not told of either: nobody can have accepted an error. */
function judgedModel({ candidate, verdict }: Comparison): Pick<SectionMark, 'candidate' | 'since'> {
  if (verdict.outcome === 'error' || candidate === undefined) return {}
  const since = verdict.acceptance?.reported
  return { candidate: candidate.sha256, ...(since !== undefined && { since }) }
}

/** The report with its notes. */
export function reportMarkdown(
  { comparison, results, notes, links: more = [] }: Report,
  tier: MarkdownOptions['tier'],
  title: string,
  runUrl: string,
): string {
  const links = [{ text: 'Run', url: runUrl }, ...more]
  // The report signs with the tool's name; a gate of the same name need not be told twice.
  const named = /^robustness gate$/i.test(title) ? undefined : title
  return markdownReport(comparison, { tier, results, title: named, links, notes })
}
