import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../src/config/parse.js'
import { locateData } from '../src/data/locate.js'
import { dryRun } from '../src/dryRun.js'
import type { ModelBytes } from '../src/engine/messages.js'
import { planText } from '../src/report/plan.js'
import type { Plan } from '../src/report/plan.js'
import { fixture } from './engine/support/fixtures.js'
import { realChildren } from './evaluation/support.js'

const worker = fileURLToPath(new URL('../.build/engine/worker.js', import.meta.url))
const sound: ModelBytes = { name: 'sound', bytes: fixture('fashion/fashion-finetuned.onnx'), external: {} }
const unreadable: ModelBytes = { name: 'unreadable', bytes: Buffer.from('no model'), external: {} }

/** Of a model that is its own baseline, as of a pull request that does not touch it. */
async function planOf(model: ModelBytes, flags: Readonly<Record<string, string>> = {}): Promise<Plan> {
  const config = parseConfig({ flags: { epsilon: '0.1', suite: 'quick', samples: '16', ...flags } })
  const data = await locateData('fixtures/fashion/fashion-test.npz', config.dataOptions, config.samples)
  const { startChild } = realChildren(worker)
  const host = { startChild, cores: 2, cpu: 'test', now: () => 0 }
  const forgiving = { tolerateBaseline: true, spareUnchanged: true }
  return dryRun(config, { candidate: model, baseline: { kind: 'model', model }, data, ...forgiving }, host)
}

describe('a model that is unchanged', () => {
  // The gate attacks neither, and passes both.
  test.each([sound, unreadable])('$name: is spared, and no model has a cost', async (model) => {
    const plan = await planOf(model)
    expect(plan).toMatchObject({ models: [], baseline: { state: 'spared' } })
    expect(planText(plan)).toMatch(/^All in all: seconds$/m)
    expect(planText(plan)).not.toMatch(/ gradients /)
  })

  test('is looked into where there is an absolute limit to hold it to', async () => {
    const limited = { 'min-clean-accuracy': '0.5' }
    expect(await planOf(sound, limited)).toMatchObject({
      models: [{ role: 'candidate', name: 'sound' }],
      baseline: { state: 'unchanged' },
    })
    await expect(planOf(unreadable, limited)).rejects.toThrow('unreadable')
  })
})
