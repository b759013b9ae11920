import type { Inspection } from '../autodiff/inspection.js'
import { plain } from '../report/escape.js'

/** What a child found in a model, for people. Names of the model's own cannot move the cursor. */
export function inspectionText(inspection: Inspection): string {
  const parts = [headline(inspection), values(inspection), operators(inspection), problems(inspection)]
  return `${parts.join('\n\n')}\n`
}

function headline({ name, bytes, opsets, parameters }: Inspection): string {
  const versions = Object.entries(opsets).map(([domain, version]) => `${plain(domain || 'ai.onnx')} ${version}`)
  return `${plain(name)}: opset ${versions.join(', ')}; ${count(parameters)} parameters, ${count(bytes)} bytes`
}

function values({ inputs, outputs, scores }: Inspection): string {
  const lines = [
    ...inputs.map((value) => ['input', value] as const),
    ...outputs.map((value) => ['output', value] as const),
  ]
  return columns(
    lines.map(([kind, { name, type, dims }]) => [
      kind,
      plain(name),
      type,
      dims === undefined ? 'of unknown rank' : `[${dims.map((size) => plain(String(size))).join(', ')}]`,
      kind === 'output' && name === scores ? 'is read' : '',
    ]),
  )
}

const gradients = {
  rule: 'yes',
  subgradient: 'yes, a subgradient at kinks',
  'straight-through': 'straight-through',
  none: 'none to make',
  missing: 'no rule',
} as const

function operators({ operators: found }: Inspection): string {
  const rows = found.map(({ operator, count: times, gradient, nodes = [] }) => [
    plain(operator),
    count(times),
    [gradients[gradient], ...nodes.map((node) => plain(node))].join('  '),
  ])
  return columns([['operator', 'times', 'gradient'], ...rows])
}

const obstacles = {
  no: 'The gate cannot attack this model:',
  'without-gradients':
    'The gate attacks this model without gradients, by random search alone: its robust accuracy is an upper bound, and a pass inconclusive.',
} as const

function problems({ attackable, problems: found, operators: all, flags }: Inspection): string {
  const free = flags === undefined && attackable !== 'no'
  const untried = free ? ['(By their names: the sizes of an image are free, so the gradient was not made.)'] : []
  if (attackable !== 'yes')
    return [obstacles[attackable], ...found.map((problem) => `• ${plain(problem, 1000)}`), ...untried].join('\n')
  const everything = 'Every operator on the way has a gradient: the gate can attack this model.'
  const told = flags?.map(({ message }) => `• ${plain(message, 1000)}`) ?? byName(all)
  return [everything, ...told, ...untried].join('\n')
}

function byName(operators: Inspection['operators']): readonly string[] {
  const steps = operators
    .filter(({ gradient }) => gradient === 'straight-through')
    .map(({ operator }) => plain(operator))
  if (steps.length === 0) return []
  const why = 'flat almost everywhere, so attacks follow the gradient of a smooth stand-in'
  return [`Straight-through (${steps.join(', ')}): ${why}; the model itself decides whether they succeed.`]
}

function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, place) => Math.max(...rows.map((row) => row[place].length)))
  return rows
    .map((row) =>
      row
        .map((cell, place) => cell.padEnd(widths[place]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function count(value: number): string {
  return value.toLocaleString('en')
}
