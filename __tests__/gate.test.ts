import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import { parseConfig } from '../src/config/parse.js'
import { locateData } from '../src/data/locate.js'
import type { ModelBytes } from '../src/engine/messages.js'
import { formatResults, parseResults } from '../src/evaluation/resultsFile.js'
import { runGate } from '../src/gate.js'
import type { GateRun } from '../src/gate.js'
import type { BaselineSource } from '../src/gateSources.js'
import { FAULTS, plant } from './evaluation/planted.js'
import { realChildren } from './evaluation/support.js'
import { fixture } from './engine/support/fixtures.js'
import { inTemporaryFolder } from './support/cli.js'

const worker = fileURLToPath(new URL('../.build/engine/worker.js', import.meta.url))
const finetuned: ModelBytes = { name: 'finetuned', bytes: fixture('fashion/fashion-finetuned.onnx'), external: {} }
const hardened: ModelBytes = { name: 'hardened', bytes: fixture('fashion/fashion-hardened.onnx'), external: {} }
/** One class certain to the last bit, whichever the model says: its gradients are zero, its mistakes the same. */
const saturated: ModelBytes = { ...finetuned, name: 'saturated', bytes: plant(finetuned.bytes, FAULTS.saturation) }

async function gate(candidate: ModelBytes, baseline: BaselineSource): Promise<GateRun> {
  const config = parseConfig({ flags: { epsilon: '0.1', suite: 'quick', samples: '60' } })
  const data = await locateData('fixtures/fashion/fashion-test.npz', config.dataOptions, config.samples)
  return inTemporaryFolder(async (folder) => {
    const { startChild } = realChildren(worker)
    const host = { startChild, cores: 2, cpu: 'test', now: () => 0 }
    const run = await runGate(config, { candidate, baseline, data }, folder, host)
    const written = JSON.parse(await readFile(join(folder, 'comparison.json'), 'utf8'))
    expect(written.transfer).toEqual(run.comparison.transfer)
    return run
  })
}

test('a model that hides its gradients falls to the adversarial examples of the one it came from', async () => {
  const { comparison, candidate } = await gate(saturated, { kind: 'model', model: finetuned })
  const robust = candidate?.samples.filter(({ threats }) => threats['linf-0.1'].robust).map(({ index }) => index) ?? []
  // The same function but for the last step: nearly all that breaks one breaks the other.
  const [, trial] = comparison.transfer ?? []
  expect(trial).toMatchObject({ from: 'baseline', to: 'candidate', threat: 'linf-0.1' })
  expect(trial.fooled.length).toBeGreaterThan(0.8 * robust.length)
  expect(robust).toEqual(expect.arrayContaining([...trial.fooled]))
  const flags = comparison.flags.filter(({ samples }) => samples?.length === trial.fooled.length)
  expect(flags.map(({ model, code }) => ({ model, code }))).toEqual(
    expect.arrayContaining([
      { model: 'candidate', code: 'transfer' },
      { model: 'candidate', code: 'masked-gradients' },
    ]),
  )
  // Saturation is told of besides, and of the sound model nothing.
  expect(new Set(comparison.flags.map(({ model, code }) => `${model}: ${code}`))).toEqual(
    new Set(['candidate: no-gradient', 'candidate: masked-gradients', 'candidate: transfer']),
  )
  expect(comparison.verdict.outcome).not.toBe('pass')
  // A model's own results say nothing of the other one.
  expect(candidate?.flags.map(({ code }) => code)).not.toContain('transfer')
})

test('healthy models, a robust one among them, are not accused', async () => {
  const { comparison } = await gate(finetuned, { kind: 'model', model: hardened })
  expect(comparison.transfer?.map(({ from, to }) => ({ from, to }))).toEqual([
    { from: 'candidate', to: 'baseline' },
    { from: 'baseline', to: 'candidate' },
  ])
  expect(comparison.transfer?.[0].tried).toBeGreaterThan(20)
  expect(comparison.flags.filter(({ code }) => /transfer|masked/.test(code))).toEqual([])
})

test('with a results file, and with the same model, nothing is tried; the candidate’s results stay what they are', async () => {
  const both = await gate(finetuned, { kind: 'model', model: hardened })
  if (!both.baseline) throw new Error('the baseline was not evaluated')
  const results = parseResults(formatResults(both.baseline), 'baseline.json')
  const alone = await gate(finetuned, { kind: 'results', results })
  expect(alone.comparison.transfer).toBeUndefined()
  expect(alone.candidate).toEqual(both.candidate)
  expect((await gate(hardened, { kind: 'model', model: hardened })).comparison.transfer).toBeUndefined()
})
