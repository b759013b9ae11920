import { describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { canonicalise } from '../../src/onnx/canonical.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import { RANDOM } from '../../src/onnx/dependence.js'
import { CANONICAL_OPSET } from '../../src/onnx/graph.js'
import type { Graph, Tensor } from '../../src/onnx/graph.js'
import { selection } from './standard/cases.js'
import { compareGraph } from './standard/compare.js'
import type { Outcome } from './standard/compare.js'
import { EXAMPLES } from './standard/examples.js'
import { IMPOSSIBLE } from './standard/impossible.js'
import { runModel } from '../support/onnxruntime.js'
import { assemble } from './support.js'
import type { Recipe } from './support.js'

/**
 * Every version of every operator in opsets 7 to 24 has a model that gives the same in its canonical form: one of the
 * standard's node tests, dated back to that opset where onnxruntime accepts it there, or else one from examples.ts. A new
 * opset fails here until each operator it changed has one, or is refused by onnxruntime before our eyes.
 */
const VERSIONS = JSON.parse(readFileSync('scripts/reference/operatorVersions.json', 'utf8')) as Readonly<
  Record<string, readonly number[]>
>
/** Enough different forms of an operator at one opset; the other forms have standard.test.ts. */
const ENOUGH = 4

interface Example {
  readonly graph: Graph
  readonly inputs: readonly Tensor[]
}

const examples = new Map<string, Example[]>()
for (const one of selection()) {
  const example = attempt(() => ({ graph: decodeModel(one.model), inputs: one.inputs() }))
  if (example === undefined) continue
  for (const op of new Set(example.graph.nodes.map((node) => node.op)))
    examples.set(op, [...(examples.get(op) ?? []), example])
}

const pairs = Object.entries(VERSIONS).flatMap(([op, versions]) =>
  versions.map((version): [string, string, number] => [`${op}-${version}`, op, version]),
)

describe('the canonical form of', () => {
  const possible = pairs.filter(([name]) => !(name in IMPOSSIBLE))
  test.each(possible)('%s', async (name, op, version) => {
    const outcomes = name in EXAMPLES ? await byHand(name, op) : await datedBack(op, version)
    expect(outcomes.flatMap((outcome) => (outcome.kind === 'failed' ? [outcome.problem] : []))).toEqual([])
    expect(outcomes.some(({ kind }) => kind === 'same')).toBe(true)
  })
})

describe('onnxruntime has no kernel for', () => {
  test.each(Object.entries(IMPOSSIBLE))('%s', async (name, { recipe, missing }) => {
    const [op, version] = name.split('-')
    expectVersion(recipe, name, op)
    const running = runModel(encodeModel(assemble(recipe)), new Map(Object.entries(recipe.inputs)))
    await expect(running).rejects.toThrow(`Could not find an implementation for ${missing ?? op}(${version})`)
  })
})

test('what has a reason why not is an operator of the standard that nothing else tests', () => {
  const names = pairs.map(([name]) => name)
  for (const name of [...Object.keys(IMPOSSIBLE), ...Object.keys(EXAMPLES)]) expect(names).toContain(name)
  for (const name of Object.keys(EXAMPLES)) expect(Object.keys(IMPOSSIBLE)).not.toContain(name)
})

async function byHand(name: string, op: string): Promise<readonly Outcome[]> {
  const recipe = EXAMPLES[name]
  expectVersion(recipe, name, op)
  const rewrite = RANDOM.has(op) ? drawable : canonicalise
  // Of several operators others may have changed by then.
  const opsets = recipe.nodes.length > 1 ? [recipe.opset] : [recipe.opset, lastOpset(op, recipe.opset)]
  const outcomes: Outcome[] = []
  for (const opset of new Set(opsets))
    outcomes.push(await compareGraph(assemble({ ...recipe, opset }), Object.values(recipe.inputs), 1e-6, rewrite))
  return outcomes
}

/** The last opset of the version that this one uses: an upgrade that comes an opset too early shows there alone. */
function lastOpset(op: string, opset: number): number {
  return (VERSIONS[op].find((version) => version > opset) ?? CANONICAL_OPSET + 1) - 1
}

/** onnxruntime 1.30 has no kernels for the random operators of opset 22, which took bfloat16 in and changed nothing else. */
function drawable(graph: Graph): Graph {
  return { ...canonicalise(graph), opsets: new Map([['', 21]]) }
}

/** A recipe of an operator is of this version of it. */
function expectVersion(recipe: Recipe, name: string, op: string): void {
  expect(recipe.nodes.map((node) => node.op)).toContain(op)
  expect(`${op}-${VERSIONS[op].findLast((version) => version <= recipe.opset)}`).toBe(name)
}

/** The smallest node tests of an operator, as if written for the opset that brought this version. */
async function datedBack(op: string, version: number): Promise<readonly Outcome[]> {
  const tried: Outcome[] = []
  const bySize = (examples.get(op) ?? []).toSorted((a, b) => a.graph.nodes.length - b.graph.nodes.length)
  const first = Math.max(7, version)
  for (const opset of new Set([first, lastOpset(op, first)])) {
    const enough = tried.length + ENOUGH
    for (const { graph, inputs } of bySize) {
      const outcome = await compareGraph({ ...graph, opsets: new Map(graph.opsets).set('', opset) }, inputs)
      if (outcome.kind !== 'skipped') tried.push(outcome)
      if (tried.length === enough) break
    }
  }
  return tried
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}
