import { z } from 'zod'
import { UsageError } from '../errors.js'
import { quote, suggestion } from './keys.js'
import type { AttackSpec, FgsmSpec, LossName, PgdSpec, Suite } from './types.js'
import { choice, flag, number, recordOf, schemaOf, text, wholeNumber } from './values.js'

const losses: readonly LossName[] = ['cross-entropy', 'margin', 'dlr']

const fgsm: FgsmSpec = { id: 'fgsm', name: 'fgsm', loss: 'cross-entropy', survivorsOnly: false }

/** Madry et al. 2018: one random start, steps of ε/4. */
const pgd: PgdSpec = {
  id: 'pgd',
  name: 'pgd',
  loss: 'cross-entropy',
  survivorsOnly: false,
  steps: 20,
  relativeStepSize: 0.25,
  randomStart: true,
  restarts: 1,
}

/** A suite's meaning never changes under its name and version: results that carry both are comparable for ever. */
const suites: readonly Suite[] = [
  { name: 'quick', version: 1, attacks: [fgsm, { ...pgd, steps: 10 }] },
  {
    name: 'standard',
    version: 1,
    attacks: [fgsm, pgd, { ...pgd, id: 'pgd-margin', loss: 'margin', survivorsOnly: true }],
  },
]

/**
 * A suite by its name: `standard@1`, or `standard` for its newest version.
 *
 * @throws UsageError that lists the suites.
 */
export function namedSuite(value: unknown): Suite {
  const written = text(value)
  const found = suites.findLast(({ name, version }) => written === name || written === `${name}@${version}`)
  if (found !== undefined) return found
  const names = suites.flatMap(({ name, version }) => [name, `${name}@${version}`])
  throw new UsageError(
    `unknown suite ${quote(written)}; the suites are ${names.join(', ')}${suggestion(written, names)}`,
  )
}

const common = {
  id: schemaOf(attackId).optional(),
  survivorsOnly: schemaOf(flag).default(false),
  loss: schemaOf(choice(losses)).default('cross-entropy'),
}

const FgsmSchema = recordOf({ name: z.literal('fgsm'), ...common })

const PgdSchema = recordOf({
  name: z.literal('pgd'),
  ...common,
  steps: schemaOf((value) => wholeNumber(value, { min: 1, max: 10_000 })).default(pgd.steps),
  stepSize: schemaOf(stepLength).optional(),
  relativeStepSize: schemaOf(stepLength).optional(),
  randomStart: schemaOf(flag).default(true),
  restarts: schemaOf((value) => wholeNumber(value, { min: 1, max: 1_000 })).default(1),
})
  .refine((attack) => attack.stepSize === undefined || attack.relativeStepSize === undefined, {
    error: 'stepSize (absolute) and relativeStepSize (a fraction of epsilon) exclude each other; keep one',
  })
  .refine((attack) => attack.randomStart || attack.restarts === 1, {
    error: 'restarts without a random start repeat the same attack; set randomStart: true or restarts: 1',
  })

type WrittenAttack = z.output<typeof FgsmSchema> | z.output<typeof PgdSchema>

/** Chosen by name first, so that a mistake is reported about the attack that was meant. */
const AttackSchema = z.unknown().transform((value, context): WrittenAttack => {
  const record = typeof value === 'object' && value !== null ? value : {}
  const name = 'name' in record ? record.name : undefined
  const schema = name === 'fgsm' ? FgsmSchema : name === 'pgd' ? PgdSchema : undefined
  if (schema === undefined) {
    const message = `an attack needs a name, fgsm or pgd; this one has ${name === undefined ? 'none' : quote(name)}`
    context.issues.push({ code: 'custom', message, input: value })
    return z.NEVER
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues)
    context.issues.push({ code: 'custom', path: [...path], message, input: value })
  return z.NEVER
})

const WrittenSuiteSchema = recordOf({
  name: schemaOf(suiteName).default('custom'),
  version: schemaOf((value) => wholeNumber(value, { min: 1 })).default(1),
  attacks: z
    .array(AttackSchema, { error: 'must be a list of attacks, like [{name: fgsm}]' })
    .min(1, 'must not be empty')
    .max(32, 'are more than 32'),
}).transform((written, context): Suite => {
  const attacks = identified(written.attacks)
  const twice = attacks.find(({ id }, place) => attacks.findIndex((other) => other.id === id) !== place)
  if (twice === undefined) return { ...written, attacks }
  const message = `two attacks have the id "${twice.id}"; give each its own`
  context.issues.push({ code: 'custom', path: ['attacks'], message, input: written })
  return z.NEVER
})

/** A suite's name, or a suite written out: `{ attacks: [{name: fgsm}, {name: pgd, steps: 40, stepSize: 0.01}] }`. */
export const SuiteSchema = z.unknown().transform((value, context): Suite => {
  const schema: z.ZodType<Suite> = typeof value === 'object' ? WrittenSuiteSchema : schemaOf(namedSuite)
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues)
    context.issues.push({ code: 'custom', path: [...path], message, input: value })
  return z.NEVER
})

/** Ids default to the attack's name; the second of a name becomes `pgd-2`. */
function identified(written: readonly WrittenAttack[]): readonly AttackSpec[] {
  return written.map((attack, place): AttackSpec => {
    const nth = written.slice(0, place + 1).filter(({ name }) => name === attack.name).length
    const id = attack.id ?? (nth === 1 ? attack.name : `${attack.name}-${nth}`)
    if (attack.name === 'fgsm') return { ...attack, id }
    const { stepSize, relativeStepSize, ...rest } = attack
    return stepSize === undefined
      ? { ...rest, id, relativeStepSize: relativeStepSize ?? pgd.relativeStepSize }
      : { ...rest, id, stepSize }
  })
}

function stepLength(value: unknown): number {
  return number(value, { min: 0, exclusive: true })
}

function attackId(value: unknown): string {
  const id = text(value)
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(id))
    throw new UsageError(`${quote(id)} is not an id; use letters, digits, "-", "_" and "."`)
  return id
}

/** A suite written out must not pass for a built-in one: results are compared by suite. */
function suiteName(value: unknown): string {
  const name = attackId(value)
  if (suites.some((suite) => suite.name === name))
    throw new UsageError(`${quote(name)} is a built-in suite; give your own another name, or write suite: ${name}`)
  return name
}
