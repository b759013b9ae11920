import { z } from 'zod'
import { UsageError } from '../errors.js'
import type { AttackName, AttackSpec, LossName, PerNorm } from './attackTypes.js'
import { quote } from './keys.js'
import { choice, flag, number, recordOf, schemaOf, text, wholeNumber } from './values.js'

/** What may be written of each attack, and the published setting of what is not. */

const losses: readonly LossName[] = ['cross-entropy', 'margin', 'dlr']

const whole = (most: number, least = 1) => schemaOf((value) => wholeNumber(value, { min: least, max: most }))
const positive = schemaOf((value) => number(value, { min: 0, exclusive: true }))
const share = schemaOf((value) => number(value, { min: 0, max: 1 }))

const common = { id: schemaOf(attackId).optional(), survivorsOnly: schemaOf(flag).default(false) }
const loss = schemaOf(choice(losses)).default('cross-entropy')
const stepSizes = { stepSize: positive.optional(), relativeStepSize: positive.optional() }

/** One number for every norm, or `{linf: 1, l2: 1, l1: 5}`. */
function perNorm(most: number, published: PerNorm<number>) {
  const one = whole(most)
  const record = recordOf({
    linf: one.default(published.linf),
    l2: one.default(published.l2),
    l1: one.default(published.l1),
  })
  const everywhere = one.transform((value): PerNorm<number> => ({ linf: value, l2: value, l1: value }))
  return z
    .unknown()
    .transform((value, context): PerNorm<number> => {
      const schema: z.ZodType<PerNorm<number>> = typeof value === 'object' ? record : everywhere
      const parsed = schema.safeParse(value)
      if (parsed.success) return parsed.data
      for (const { path, message } of parsed.error.issues)
        context.issues.push({ code: 'custom', path: [...path], message, input: value })
      return z.NEVER
    })
    .default(published)
}

/** Gives a step size to those that wrote none. */
function withStepSize<T extends { readonly stepSize?: number; readonly relativeStepSize?: number }>(
  attack: T,
  published: (attack: T) => number,
): T {
  if (attack.stepSize !== undefined || attack.relativeStepSize !== undefined) return attack
  return { ...attack, relativeStepSize: published(attack) }
}

function oneStepSize(attack: { readonly stepSize?: number; readonly relativeStepSize?: number }): boolean {
  return attack.stepSize === undefined || attack.relativeStepSize === undefined
}

const twoStepSizes = {
  error: 'stepSize (absolute) and relativeStepSize (a fraction of epsilon) exclude each other; keep one',
}

const autoPgd = {
  steps: whole(10_000).default(100),
  rho: share.default(0.75),
  eot: whole(1_000).default(1),
  largerBalls: schemaOf(flag).default(false),
}

const fab = {
  steps: whole(10_000).default(100),
  restarts: whole(1_000).default(1),
  alphaMax: share.default(0.1),
  eta: schemaOf((value) => number(value, { min: 1 })).default(1.05),
  beta: share.default(0.9),
}

const Schemas = {
  fgsm: recordOf({ name: z.literal('fgsm'), ...common, loss }),

  pgd: recordOf({
    name: z.literal('pgd'),
    ...common,
    loss,
    steps: whole(10_000).default(20),
    ...stepSizes,
    randomStart: schemaOf(flag).default(true),
    restarts: whole(1_000).default(1),
  })
    .refine(oneStepSize, twoStepSizes)
    .refine((attack) => attack.randomStart || attack.restarts === 1, {
      error: 'restarts without a random start repeat the same attack; set randomStart: true or restarts: 1',
    })
    .transform((attack) => withStepSize(attack, () => 0.25)),

  bim: recordOf({ name: z.literal('bim'), ...common, loss, steps: whole(10_000).default(10), ...stepSizes })
    .refine(oneStepSize, twoStepSizes)
    .transform((attack) => withStepSize(attack, () => 0.2)),

  // α = ε / T (Dong et al. 2018, algorithm 1).
  'mi-fgsm': recordOf({
    name: z.literal('mi-fgsm'),
    ...common,
    loss,
    steps: whole(10_000).default(10),
    ...stepSizes,
    decay: schemaOf((value) => number(value, { min: 0 })).default(1),
  })
    .refine(oneStepSize, twoStepSizes)
    .transform((attack) => withStepSize(attack, ({ steps }) => 1 / steps)),

  apgd: recordOf({
    name: z.literal('apgd'),
    ...common,
    loss,
    ...autoPgd,
    restarts: perNorm(1_000, { linf: 1, l2: 1, l1: 5 }),
  }),

  'apgd-t': recordOf({
    name: z.literal('apgd-t'),
    ...common,
    ...autoPgd,
    restarts: perNorm(1_000, { linf: 1, l2: 1, l1: 1 }),
    targets: perNorm(100_000, { linf: 9, l2: 9, l1: 5 }),
  }),

  fab: recordOf({ name: z.literal('fab'), ...common, ...fab }),

  'fab-t': recordOf({ name: z.literal('fab-t'), ...common, ...fab, targets: whole(100_000).default(9) }),

  square: recordOf({
    name: z.literal('square'),
    ...common,
    queries: whole(1_000_000).default(5_000),
    restarts: whole(1_000).default(1),
    p: share.default(0.8),
  }),

  deepfool: recordOf({
    name: z.literal('deepfool'),
    ...common,
    steps: whole(10_000).default(50),
    overshoot: schemaOf((value) => number(value, { min: 0 })).default(0.02),
    candidates: whole(100_000, 2).default(10),
  }),

  cw: recordOf({
    name: z.literal('cw'),
    ...common,
    steps: whole(100_000).default(1_000),
    binarySearchSteps: whole(100).default(9),
    stepSize: positive.default(0.01),
    confidence: schemaOf((value) => number(value, { min: 0 })).default(0),
    initialConstant: positive.default(0.001),
  }),

  ddn: recordOf({
    name: z.literal('ddn'),
    ...common,
    steps: whole(100_000).default(100),
    initialEpsilon: positive.default(1),
    gamma: schemaOf((value) => number(value, { min: 0, max: 1, exclusive: true })).default(0.05),
  }),

  noise: recordOf({ name: z.literal('noise'), ...common, points: whole(1_000_000).default(100) }),
} satisfies Record<AttackName, z.ZodType>

const attackNames = Object.keys(Schemas)

type WithoutId<Attack> = Attack extends AttackSpec ? Omit<Attack, 'id'> & { readonly id?: string } : never

/** An attack as it is written in a suite: its id may be missing. */
export type WrittenAttack = WithoutId<AttackSpec>

/** Chosen by name first, so that a mistake is reported about the attack that was meant. */
export const AttackSchema = z.unknown().transform((value, context): WrittenAttack => {
  const record = typeof value === 'object' && value !== null ? value : {}
  const name = 'name' in record ? record.name : undefined
  if (!isAttackName(name)) {
    const what = name === undefined ? 'none' : quote(name)
    const message = `an attack needs a name, one of ${attackNames.join(', ')}; this one has ${what}`
    context.issues.push({ code: 'custom', message, input: value })
    return z.NEVER
  }
  const schema: z.ZodType<WrittenAttack> = Schemas[name]
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  for (const { path, message } of parsed.error.issues)
    context.issues.push({ code: 'custom', path: [...path], message, input: value })
  return z.NEVER
})

/** An attack with its published settings and, but for `changes`, the defaults of the schema. */
export function published<Name extends AttackName>(
  name: Name,
  changes: Partial<Extract<AttackSpec, { name: Name }>> = {},
): AttackSpec {
  const attack = AttackSchema.parse({ name, ...changes })
  return { ...attack, id: attack.id ?? name }
}

export function attackId(value: unknown): string {
  const id = text(value)
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(id))
    throw new UsageError(`${quote(id)} is not an id; use letters, digits, "-", "_" and "."`)
  return id
}

function isAttackName(name: unknown): name is AttackName {
  return typeof name === 'string' && Object.hasOwn(Schemas, name)
}
