import { z } from 'zod'
import { ResultsSchema } from '../evaluation/results.js'
import { comparisonSchema } from './schema.js'

/**
 * The JSON Schemas (draft 2020-12) that others may hold our files against, by the file name they are published under. They
 * allow unknown fields, because fields may be added.
 */
export function publishedSchemas(): Readonly<Record<string, object>> {
  return {
    'results-1.json': published('Results of Robustness Gate: one model, one suite, one dataset', ResultsSchema),
    'comparison-1.json': published('Comparison by Robustness Gate: a candidate and its baseline', comparisonSchema),
  }
}

function published(title: string, schema: z.ZodType): object {
  const { $schema, ...body } = z.toJSONSchema(schema, { io: 'input' })
  return { $schema, title, ...body }
}
