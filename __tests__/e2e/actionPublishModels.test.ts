import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { formatResults } from '../../src/evaluation/resultsFile.js'
import { base, installPublisher, robust, startPublishing, weak } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import type { InstalledAction } from '../support/github/runner.js'

/** The second of the two workflows for forks, where the config lists several models. */

const config = 'epsilon: 0.1\nsuite: standard@1\nmodels: [{ name: digits }, { name: letters }, { name: signs }]\n'

let action: InstalledAction
let publishing: Publishing
beforeAll(async () => {
  action = await installPublisher()
})
afterAll(() => action.remove())
beforeEach(async () => {
  publishing = await startPublishing(action)
})
afterEach(() => publishing.close())

test('each model’s check and section is posted from its folder of the artifact; one that is missing is its own error', async () => {
  const { hosted, github, upload, publish } = publishing
  const workspace = await hosted.checkout(await hosted.commit('main', { 'robustness.yml': config }), 1)
  const baseline = formatResults(base)
  upload({
    ...{ 'digits/results.json': formatResults(weak), 'digits/baseline.json': baseline },
    ...{ 'signs/results.json': formatResults(robust), 'signs/baseline.json': baseline },
  })
  const { status, outputs, errors } = await publish({}, {}, workspace)
  expect({ status, errors }).toEqual({ status: 0, errors: [] })
  expect(JSON.parse(outputs.verdicts)).toEqual({ digits: 'regression', letters: 'error', signs: 'pass' })
  const checks = github.checkRuns.map(({ name, conclusion }) => [name, conclusion])
  expect(Object.fromEntries(checks)).toEqual({
    'Robustness gate: digits': 'failure',
    'Robustness gate: letters': 'failure',
    'Robustness gate: signs': 'success',
  })
  expect(github.comments).toHaveLength(1)
  expect(github.comments[0].body).toContain('has no results.json in letters/')
})
