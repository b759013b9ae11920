import { BY_THEIR_MEAN } from '../onnx/chance.js'
import { CANONICAL_OPSET } from '../onnx/graph.js'
import { EXPANSIONS } from './expansions/index.js'
import type { Marked } from './rule.js'
import { RULES, WITHOUT_GRADIENT } from './rules/index.js'

/** One row of docs/operators.md. */
export interface OperatorRow {
  /** With its domain, when it is not ai.onnx. */
  readonly operator: string
  /** First and last opset that may use it, of those a model may be written for; undefined where it is not of the standard. */
  readonly opsets?: readonly [number, number]
  /** `none`: its output is whole numbers, truth values or shapes, and nothing flows. `missing`: there is no rule. */
  readonly gradient: 'exact' | 'subgradient' | 'straight-through' | 'none' | 'missing'
  readonly note: string
}

const OLDEST_OPSET = 7

const UNTIL_9 = 'onnxruntime knows it until opset 9'

const FIXED_REGIONS = 'of fixed regions, not of those that a detector proposes'

/** What a model no longer holds when its gradient is made. */
export const REWRITTEN: Readonly<Record<string, Marked>> = {
  Affine: { note: `is Mul and Add; ${UNTIL_9}` },
  Crop: { note: `is Slice; ${UNTIL_9}` },
  Dropout: { note: 'does nothing at inference' },
  GlobalLpPool: { kind: 'subgradient', note: 'is written out as a norm, like ReduceL1 and ReduceL2' },
  ImageScaler: { note: `is Mul and Add; ${UNTIL_9}` },
  MaxRoiPool: {
    kind: 'subgradient',
    note: `is written out; of equal maxima the first in row-major order takes all; ${FIXED_REGIONS}`,
  },
  RoiAlign: {
    kind: 'subgradient',
    note: `is written out; of equal maxima (mode max) the first takes all; ${FIXED_REGIONS}`,
  },
  ScaledTanh: { note: `is Mul and Tanh; ${UNTIL_9}` },
  Scatter: { note: 'is ScatterElements' },
  Upsample: { note: 'is Resize' },
}

/** Where the versions in force do not tell: forms that the standard or onnxruntime withdrew, which old models still have. */
const WITHDRAWN: Readonly<Record<string, readonly [number, number]>> = {
  GlobalLpPool: [7, 21],
  GroupNormalization: [18, CANONICAL_OPSET],
  MaxRoiPool: [7, 21],
  RoiAlign: [10, 21],
  Scatter: [9, 10],
  Upsample: [7, 9],
}

/**
 * What the tables say of every operator of the standard and of those that onnxruntime adds and that have a rule.
 *
 * @param versions the opsets in which each operator of ai.onnx changed, oldest first.
 */
export function operatorRows(versions: Readonly<Record<string, readonly number[]>>): readonly OperatorRow[] {
  const operators = new Set([
    ...Object.keys(versions),
    ...RULES.keys(),
    ...EXPANSIONS.keys(),
    ...WITHOUT_GRADIENT,
    ...Object.keys(REWRITTEN),
  ])
  return [...operators].toSorted().map((operator) => ({
    operator,
    ...(Object.hasOwn(versions, operator) && {
      opsets: WITHDRAWN[operator] ?? ([Math.max(OLDEST_OPSET, versions[operator][0]), CANONICAL_OPSET] as const),
    }),
    ...gradientOf(operator),
  }))
}

function gradientOf(operator: string): Pick<OperatorRow, 'gradient' | 'note'> {
  const rewritten = Object.hasOwn(REWRITTEN, operator) ? REWRITTEN[operator] : undefined
  const marked: Marked | undefined = rewritten ?? EXPANSIONS.get(operator) ?? RULES.get(operator)
  if (marked) return { gradient: marked.kind ?? 'exact', note: marked.note ?? '' }
  if (BY_THEIR_MEAN.has(operator))
    return { gradient: 'straight-through', note: 'that of its mean, which is 1 − p where onnxruntime runs it' }
  return { gradient: WITHOUT_GRADIENT.has(operator) ? 'none' : 'missing', note: '' }
}

/** docs/operators.md. */
export function operatorDocument(rows: readonly OperatorRow[]): string {
  const known = rows.filter(({ gradient }) => gradient !== 'missing')
  const standard = known.filter(({ opsets }) => opsets !== undefined)
  const beside = known.filter(({ opsets }) => opsets === undefined)
  const missing = rows.filter(({ gradient }) => gradient === 'missing').map(({ operator }) => `\`${operator}\``)
  const counted = (kind: OperatorRow['gradient']): number => known.filter(({ gradient }) => gradient === kind).length
  return `# Operators

Written by \`node scripts/operators.mjs\` from the tables in \`src/autodiff\`; a test keeps it current.

A model of opset ${OLDEST_OPSET} to ${CANONICAL_OPSET} is first rewritten to opset ${CANONICAL_OPSET}, so each operator counts in every form it had between them. Its gradient is

- **exact** (${counted('exact')}): the derivative;
- **subgradient** (${counted('subgradient')}): the derivative, and at kinks and ties one of the possible slopes, PyTorch's where PyTorch has the operator;
- **straight-through** (${counted('straight-through')}): the derivative of a smooth stand-in, because the operator's own is zero or undefined
  almost everywhere (BPDA, Athalye et al. 2018). Only the attack's direction comes from it: whether an image is fooled is
  always decided by the unmodified model;
- **none** (${counted('none')}): the output is whole numbers, truth values, text or a shape, or drawn without the image. Nothing flows back, and nothing is missed.

Whatever does not depend on the image (weights, shapes, masks) is computed once and needs no gradient: there every operator
that onnxruntime runs will do.

What says how a node works must be fixed, too, or follow from shapes: the sizes, axes, bounds, pads, repeats, conditions and
regions that it gets as inputs. Where they are computed from the pixels, a node has no gradient rule, whatever its row says: the
error names it, and the evaluation goes on as below. Indices may be computed, as TopK's are.

A Conv or a pool with \`auto_pad\` SAME_UPPER or SAME_LOWER has no gradient rule where its windows, without dilation, reach over two
or more rows or columns fewer than there are, as 1×1 with strides of 4 on 8 × 8 pixels: there each operator of onnxruntime begins at
another pixel, if it runs at all. Export it with \`pads\`.

## The ONNX standard

| operator | opsets | gradient | note |
| --- | --- | --- | --- |
${standard.map(tableRow).join('\n')}
${beside.length === 0 ? '' : besideTheStandard(beside)}
## Without a gradient

Where the image passes one of these on its way to the logits, an evaluation goes on with attacks that need no gradient, and
says so with the flag \`no-gradient-rule\` (see flags.md). Most of them work on sound.

${missing.join(', ')}
`
}

function besideTheStandard(rows: readonly OperatorRow[]): string {
  return `
## Beside the standard

What onnxruntime's optimiser and quantiser write, what exporters write for onnxruntime alone, and scikit-learn's converter.

| operator | gradient | note |
| --- | --- | --- |
${rows.map(tableRow).join('\n')}
`
}

function tableRow({ operator, opsets, gradient, note }: OperatorRow): string {
  const range = opsets && (opsets[0] === opsets[1] ? `${opsets[0]}` : `${opsets[0]}–${opsets[1]}`)
  const cells = [`\`${operator}\``, ...(range === undefined ? [] : [range]), gradient, note.replaceAll('|', '\\|')]
  return `| ${cells.join(' | ')} |`.replace('|  |', '| |')
}
