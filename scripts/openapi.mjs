import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Extracts the operations the action uses from GitHub's own OpenAPI description into the small file that the loopback
 * GitHub of the tests checks every request and every reply against.
 *
 *     npm install --prefix FOLDER @octokit/openapi
 *     node scripts/openapi.mjs FOLDER/node_modules/@octokit/openapi
 */

const operations = [
  'issues/list-comments',
  'issues/create-comment',
  'issues/update-comment',
  'issues/delete-comment',
  'issues/list-events',
  'checks/list-for-ref',
  'checks/create',
  'checks/update',
  'checks/list-annotations',
  'pulls/get',
  'repos/get-latest-release',
  'repos/get-release-by-tag',
  'repos/get-release-asset',
  'users/get-authenticated',
  'actions/list-workflow-run-artifacts',
  'actions/download-artifact',
  'actions/list-artifacts-for-repo',
  'actions/get-workflow-run',
  'repos/get-content',
  'repos/compare-commits',
  'pulls/list',
  'pulls/list-files',
  'pulls/list-commits',
  'repos/list-pull-requests-associated-with-commit',
]

const target = join(dirname(fileURLToPath(import.meta.url)), '../__tests__/support/github/openapi.json')

const folder = process.argv[2]
if (folder === undefined) {
  console.error('usage: node scripts/openapi.mjs FOLDER/node_modules/@octokit/openapi')
  process.exit(2)
}
const description = JSON.parse(await readFile(join(folder, 'generated/api.github.com.json'), 'utf8'))

const prose = new Set(['description', 'example', 'examples', 'externalDocs', 'title', 'summary', 'deprecated'])

/** OpenAPI 3.0 schema → JSON Schema: references put in place, prose dropped, `nullable` written as a type. */
function schema(node, inside = 'schema') {
  if (Array.isArray(node)) return node.map((each) => schema(each))
  if (node === null || typeof node !== 'object') return node
  if (typeof node.$ref === 'string') return schema(resolve(node))
  const kept = Object.entries(node).filter(
    ([key]) => inside === 'properties' || (!prose.has(key) && !key.startsWith('x-') && key !== 'nullable'),
  )
  const plain = Object.fromEntries(
    kept.map(([key, value]) => [key, key === 'enum' ? value : schema(value, key === 'properties' ? key : 'schema')]),
  )
  if (inside === 'properties' || node.nullable !== true) return plain
  if (plain.enum !== undefined && !plain.enum.includes(null)) plain.enum = [...plain.enum, null]
  return typeof plain.type === 'string'
    ? { ...plain, type: [plain.type, 'null'] }
    : { anyOf: [plain, { type: 'null' }] }
}

function resolve(node) {
  if (typeof node.$ref !== 'string') return node
  return node.$ref
    .slice(2)
    .split('/')
    .reduce((place, key) => place[key], description)
}

function extract(path, method, operation) {
  const parameters = (operation.parameters ?? []).map(resolve)
  const replies = Object.entries(operation.responses).map(([status, reply]) => {
    const content = resolve(reply).content?.['application/json']?.schema
    return [status, content === undefined ? true : schema(content)]
  })
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    parameters: parameters.map((each) => ({
      name: each.name,
      in: each.in,
      required: each.required ?? false,
      schema: schema(each.schema),
    })),
    ...(operation.requestBody && { body: schema(resolve(operation.requestBody).content['application/json'].schema) }),
    replies: Object.fromEntries(replies),
  }
}

const found = Object.entries(description.paths)
  .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => [path, method, operation]))
  .filter(([, , operation]) => operations.includes(operation?.operationId))
  .map(([path, method, operation]) => extract(path, method, operation))
const missing = operations.filter((id) => !found.some((operation) => operation.id === id))
if (missing.length > 0) throw new Error(`not in the description: ${missing.join(', ')}`)

const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))
const source = `@octokit/openapi ${version}, api.github.com`
await writeFile(target, `${JSON.stringify({ source, operations: found })}\n`)
console.log(`${target}: ${found.length} operations`)
