import type { Comparison } from '../comparison/types.js'
import { flagEntry } from '../engine/flagTable.js'
import { code, plain, prose } from './escape.js'
import { blocks, bullets, listed } from './layout.js'

type Flag = Pick<Comparison['flags'][number], 'code' | 'message' | 'samples'>

const WEIGHTS = { masked: 0, fault: 1, fact: 2 } as const

/** What nobody knows of a code is a fact. */
function kindOf({ code: name }: Flag): keyof typeof WEIGHTS {
  return flagEntry(name)?.kind ?? 'fact'
}

/** What casts doubt on the numbers, the weightiest first; for everybody who reads a report, so not folded away. */
export function doubts<One extends Flag>(flags: readonly One[]): readonly One[] {
  return flags
    .filter((flag) => kindOf(flag) !== 'fact')
    .toSorted((one, other) => WEIGHTS[kindOf(one)] - WEIGHTS[kindOf(other)])
}

/** Markdown: what was found, what to do, how many images show it and the first of them. */
export function doubtSection({ flags }: Comparison, limit: number): string {
  const all = doubts(flags)
  if (all.length === 0 || limit === 0) return ''
  const hidden = all.length - limit
  const lines = all.slice(0, limit).map(flagLine)
  return blocks([
    '**What casts doubt on these numbers**',
    bullets(hidden > 0 ? [...lines, `…and ${hidden} more, in comparison.json`] : lines),
  ])
}

/** Markdown: facts about the models, for the details. */
export function factList({ flags }: Comparison, limit: number): string {
  const facts = flags.filter((flag) => kindOf(flag) === 'fact')
  const hidden = facts.length - limit
  const lines = facts.slice(0, limit).map(flagLine)
  return bullets(hidden > 0 ? [...lines, `…and ${hidden} more, in comparison.json`] : lines)
}

function flagLine({ model, ...flag }: Comparison['flags'][number]): string {
  return `${model}, ${code(flag.code, 40)}: ${prose(flag.message, 500)}${imagesOf(flag, 10)}`
}

/** The same for a terminal: one line, without markdown. */
export function flagText({ code: name, message, samples }: Flag, model?: string): string {
  const whose = model === undefined ? '' : `${model}, `
  return `${whose}${plain(name, 40)}: ${plain(message, 500)}${imagesOf({ samples }, 5)}`
}

function imagesOf({ samples = [] }: Pick<Flag, 'samples'>, limit: number): string {
  if (samples.length === 0) return ''
  return ` (${samples.length === 1 ? 'image' : `${samples.length} images:`} ${listed(samples, limit)})`
}
