import type { Comparison } from '../comparison/types.js'
import { decidingReasons } from '../report/headline.js'
import { plain } from '../report/escape.js'
import { doubts } from '../report/flags.js'

/** A remark of a check run on a file of the pull request. */
export interface Annotation {
  readonly path: string
  readonly start_line: number
  readonly end_line: number
  readonly annotation_level: 'notice' | 'warning' | 'failure'
  readonly title: string
  readonly message: string
}

/** Paths in the repository, as the API wants them; undefined for what is not in it. */
export interface AnnotatedFiles {
  readonly model?: string
  readonly config?: string
}

/** More GitHub refuses in one request. */
export const annotationsPerRequest = 50

/** More nobody reads, and each is a part of a request. */
const mostAnnotations = 200

/**
 * What decided against a model, and what casts doubt on its numbers, on the model's file; an error, and what there is to
 * say of a model from elsewhere, on the config's.
 */
export function annotationsOf(comparison: Comparison, { model, config }: AnnotatedFiles): readonly Annotation[] {
  const { verdict, flags, failure } = comparison
  const on = (path: string | undefined, level: Annotation['annotation_level'], title: string, message: string) =>
    path === undefined ? [] : [annotation(path, level, title, message)]
  if (verdict.outcome === 'error') {
    const judged = failure?.model === undefined ? (config ?? model) : (model ?? config)
    return on(judged, 'failure', 'No verdict', failure?.message ?? 'The evaluation could not be completed.')
  }
  const { outcome, fails } = verdict
  const place = model ?? config
  const against =
    outcome === 'pass'
      ? []
      : decidingReasons(comparison).flatMap(({ message }) =>
          on(place, fails ? 'failure' : 'warning', titles[outcome], message),
        )
  return [
    ...against,
    ...doubts(flags.filter((flag) => flag.model === 'candidate')).flatMap(({ code, message }) =>
      on(place, 'warning', `Doubt: ${code}`, message),
    ),
  ].slice(0, mostAnnotations)
}

const titles = { regression: 'Regression', inconclusive: 'Inconclusive' } as const

/** Binary files have no lines; GitHub wants one all the same. */
function annotation(path: string, level: Annotation['annotation_level'], title: string, message: string): Annotation {
  return {
    ...{ path, start_line: 1, end_line: 1, annotation_level: level },
    ...{ title: plain(title, 100), message: plain(message, 2_000) || title },
  }
}

/** Annotations in portions that GitHub takes. */
export function portions<T>(all: readonly T[], size = annotationsPerRequest): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, place) => all.slice(place * size, (place + 1) * size))
}
