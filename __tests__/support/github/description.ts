import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Ajv } from 'ajv'
import type { ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

/** GitHub's own description of the operations the action uses (scripts/openapi.mjs), as something to check against. */

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly schema: object
}

interface Described {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly parameters: readonly Parameter[]
  readonly body?: { readonly properties?: object }
  readonly replies: Readonly<Record<string, object | true>>
}

export interface Operation {
  readonly id: string
  /** By name, coerced to the types the description declares. */
  readonly path: Readonly<Record<string, string>>
}

export interface ApiDescription {
  /** The operation a request is meant for; undefined for a route GitHub has not, or that nobody should use. */
  readonly find: (method: string, path: string) => Operation | undefined
  /** What is wrong with a request, in words; empty when GitHub would take it. */
  readonly request: (operation: Operation, query: URLSearchParams, body: unknown) => readonly string[]
  /** What is wrong with a reply of the loopback server's own. */
  readonly reply: (operation: Operation, status: number, body: unknown) => readonly string[]
}

let compiled: ApiDescription | undefined

/** Its checks are compiled once for all that a file tests. */
export function githubDescription(): ApiDescription {
  return (compiled ??= compileDescription())
}

function compileDescription(): ApiDescription {
  const file = join(dirname(fileURLToPath(import.meta.url)), 'openapi.json')
  const { operations } = JSON.parse(readFileSync(file, 'utf8')) as { operations: readonly Described[] }
  const strict = new Ajv({ strict: false, allErrors: true })
  // Paths and queries are text; they are read as what the description says they are.
  const coercing = new Ajv({ strict: false, allErrors: true, coerceTypes: true })
  for (const ajv of [strict, coercing]) {
    formats.default(ajv)
    for (const number of ['int32', 'int64']) ajv.addFormat(number, { type: 'number', validate: Number.isInteger })
  }
  const checks = new Map<object, ValidateFunction>()
  const valueCheck = (schema: object): ValidateFunction => {
    const check = checks.get(schema) ?? coercing.compile({ type: 'object', properties: { value: schema } })
    checks.set(schema, check)
    return check
  }
  const described = (operation: Operation) => operations.find(({ id }) => id === operation.id)
  return {
    find(method, path) {
      for (const operation of operations) {
        const names: string[] = []
        // GitHub takes a path that is left out for the root of the repository.
        const pattern = operation.path
          .replaceAll('.', '\\.')
          .replaceAll(/\{(\w+)\}/g, (_, name: string) => (names.push(name), '([^/]+)'))
          .replace(/\/contents\/\(\[\^\/\]\+\)$/, '/contents/?([^/]*)')
        const match = operation.method === method ? new RegExp(`^${pattern}$`).exec(path) : null
        if (match) {
          const values = match.slice(1).map(decodeURIComponent)
          return { id: operation.id, path: Object.fromEntries(names.map((name, place) => [name, values[place]])) }
        }
      }
      return undefined
    },
    request(operation, query, body) {
      const { parameters = [], body: schema } = described(operation) ?? {}
      const wrong = parameters
        .filter((parameter) => parameter.in !== 'header')
        .flatMap((parameter) => {
          const value = parameter.in === 'path' ? operation.path[parameter.name] : query.get(parameter.name)
          if (value === null || value === undefined) return parameter.required ? [`${parameter.name} is missing`] : []
          return complaints(valueCheck(parameter.schema), { value }, parameter.name)
        })
      const unknown = [...query.keys()].filter(
        (name) => !parameters.some((parameter) => parameter.in === 'query' && parameter.name === name),
      )
      return [
        ...wrong,
        ...unknown.map((name) => `query parameter ${name} does not exist`),
        ...(schema === undefined ? [] : bodyComplaints(strict, schema, body)),
      ]
    },
    reply(operation, status, body) {
      const schema = described(operation)?.replies[status]
      // GitHub describes few of its errors; their bodies are alike.
      const known = schema ?? (status >= 400 ? { type: 'object', required: ['message'] } : false)
      return complaints(strict.compile(known), body, `reply ${status}`)
    },
  }
}

function bodyComplaints(ajv: Ajv, schema: NonNullable<Described['body']>, body: unknown): readonly string[] {
  // GitHub overlooks a property it does not know. Here it is a mistake: the action would believe it had said something.
  const known = Object.keys(schema.properties ?? {})
  const unknown = Object.keys(typeof body === 'object' && body !== null ? body : {}).filter(
    (name) => !known.includes(name),
  )
  return [
    ...complaints(ajv.compile(schema), body, 'body'),
    ...unknown.map((name) => `body.${name} is unknown to this operation`),
  ]
}

function complaints(check: ValidateFunction, value: unknown, name: string): readonly string[] {
  if (check(value)) return []
  return (check.errors ?? []).map((error) => `${name}${error.instancePath} ${error.message ?? 'is invalid'}`)
}
