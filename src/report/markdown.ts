import type { Comparison } from '../comparison/types.js'
import { acceptanceSentence } from './acceptance.js'
import { advice } from './advice.js'
import { curveSection } from './curves.js'
import { detailsSections } from './details.js'
import type { BothResults } from './details.js'
import { prose } from './escape.js'
import { doubtSection } from './flags.js'
import { decidingReasons, headline } from './headline.js'
import { blocks, bullets, firstThatFits, links } from './layout.js'
import type { Link } from './layout.js'
import { classSection, imageSection, resultSection } from './sections.js'

export interface MarkdownOptions {
  /** `full` for the job summary and report.md, `comment` for the pull request. */
  readonly tier: 'full' | 'comment'
  readonly results?: BothResults
  /** The gate's name, where there are several. */
  readonly title?: string
  readonly links?: readonly Link[]
  /** Sentences about where model, baseline, config and data came from. */
  readonly notes?: readonly string[]
}

const TOOL = 'Robustness Gate'

interface Detail {
  readonly images: number
  readonly classes: number
  readonly attacks: boolean
  readonly threats: number
  readonly flags: number
  readonly reasons: number
  readonly notes: number
}

/** Both under GitHub's limits (1 MiB and 65,536 characters) with room for a marker and a heading. */
export const LIMITS: Readonly<Record<MarkdownOptions['tier'], number>> = { full: 1_000_000, comment: 60_000 }

/** From most to least: first the images go, then the classes, then the attacks, then threats. A table is never cut. */
const DETAILS: Readonly<Record<MarkdownOptions['tier'], readonly Detail[]>> = {
  full: [
    { images: 10_000, classes: 1_000, attacks: true, threats: 100, flags: 200, reasons: 20, notes: 20 },
    { images: 100, classes: 100, attacks: true, threats: 100, flags: 50, reasons: 20, notes: 20 },
    { images: 0, classes: 0, attacks: false, threats: 50, flags: 20, reasons: 20, notes: 20 },
  ],
  comment: [
    { images: 20, classes: 5, attacks: true, threats: 20, flags: 10, reasons: 20, notes: 20 },
    { images: 0, classes: 5, attacks: true, threats: 20, flags: 5, reasons: 20, notes: 20 },
    { images: 0, classes: 0, attacks: true, threats: 20, flags: 5, reasons: 20, notes: 20 },
    { images: 0, classes: 0, attacks: false, threats: 20, flags: 5, reasons: 20, notes: 20 },
    { images: 0, classes: 0, attacks: false, threats: 5, flags: 0, reasons: 5, notes: 10 },
  ],
}

/**
 * A comparison as GitHub-flavoured markdown: the verdict in words, the table, what broke, what to do next, and folded away how
 * the numbers were made. Its size in UTF-8 stays under LIMITS of its tier. Text of others is escaped.
 */
export function markdownReport(comparison: Comparison, options: MarkdownOptions): string {
  const { tier, results = {} } = options
  return firstThatFits(DETAILS[tier], LIMITS[tier], (detail) => {
    const everyThreat = tier === 'full'
    return `${blocks([
      verdictLine(comparison),
      failureSection(comparison),
      acceptanceSection(comparison),
      furtherReasons(comparison, detail.reasons),
      resultSection(comparison, detail),
      curveSection(comparison),
      classSection(comparison, detail.classes, everyThreat),
      imageSection(comparison, detail.images, everyThreat),
      doubtSection(comparison, detail.flags),
      nextSteps(comparison),
      noteSection(options.notes ?? [], detail.notes),
      detailsSections(comparison, results, detail),
      footer(options),
    ])}\n`
  })
}

function verdictLine(comparison: Comparison): string {
  const { icon, verdict, sentence } = headline(comparison)
  return `${icon} **${prose(verdict, 120)}**: ${prose(sentence)}`
}

function failureSection({ failure }: Comparison): string {
  return failure ? `> ${prose(failure.message, 1_000)}` : ''
}

function acceptanceSection({ verdict: { acceptance } }: Comparison): string {
  return acceptance ? `> ${prose(acceptanceSentence(acceptance))}` : ''
}

/** Reasons but the one in the first line, and but what an error says anyway. */
function furtherReasons(comparison: Comparison, limit: number): string {
  const { outcome, reasons } = comparison.verdict
  const [first] = outcome === 'pass' ? [] : decidingReasons(comparison)
  const further = reasons.filter((reason) => reason !== first && !/^(error|within-limits|unchanged)$/.test(reason.code))
  return bullets(further.slice(0, limit).map(({ message }) => prose(message)))
}

function nextSteps(comparison: Comparison): string {
  const { appeal } = comparison.verdict
  const steps = [...advice(comparison), ...(appeal === undefined ? [] : [prose(appeal, 800)])]
  return steps.length === 0 ? '' : blocks(['**What to do next**', bullets(steps)])
}

function noteSection(notes: readonly string[], limit: number): string {
  const shown = notes.slice(0, limit).map((note) => `> ${prose(note)}`)
  const more = notes.length > limit ? [`> … and ${notes.length - limit} more.`] : []
  return blocks([...shown, ...more])
}

function footer({ title, links: list = [] }: MarkdownOptions): string {
  const own = title === undefined || title === TOOL ? '' : prose(title, 80)
  return `<sub>${[TOOL, own, links(list)].filter((part) => part !== '').join(' · ')}</sub>`
}
