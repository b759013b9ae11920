import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { strToU8 } from 'fflate'
import type { Results } from '../../src/evaluation/results.js'
import { formatResults } from '../../src/evaluation/resultsFile.js'
import { summarise } from '../../src/evaluation/summarise.js'
import {
  base,
  head,
  installPublisher,
  other,
  robust,
  startPublishing,
  suite,
  weak,
} from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import type { InstalledAction } from '../support/github/runner.js'

/** What a stranger's run may upload, to the job that holds the token. */

let action: InstalledAction
beforeAll(async () => {
  action = await installPublisher()
})
afterAll(() => action.remove())

let scene: Publishing
beforeEach(async () => {
  scene = await startPublishing(action)
})
afterEach(() => scene.close())

describe('hostile files', () => {
  async function refused(sentence: RegExp): Promise<void> {
    const outcome = await scene.publish()
    expect(outcome).toMatchObject({ status: 0, outputs: { verdict: 'error' } })
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
    expect(outcome.summary.replaceAll('\u2060', '')).toMatch(sentence)
  }

  test('a bomb: a file that unpacks to more than is allowed', async () => {
    scene.upload({ 'results.json': new Uint8Array(65 * 2 ** 20) })
    await refused(/would unpack to \d+ bytes, more than the limit/)
  })

  test('no zip at all', async () => {
    scene.runs.artifacts.push({ run: 77, name: 'robustness-gate-results', zip: strToU8('not a zip') })
    await refused(/is not a readable zip archive/)
  })

  test('paths that lead out of the folder are not followed', async () => {
    scene.upload({ '../results.json': formatResults(robust), '/results.json': formatResults(robust) })
    await refused(/has no results\.json at its top/)
  })

  test('another schema', async () => {
    scene.upload({ 'results.json': '{"schema":"robustness-gate/results/1","samples":"all robust"}' })
    await refused(/is no valid results file/)
  })

  test('a summary that the images contradict', async () => {
    const claimed = { ...weak, summary: robust.summary }
    scene.uploadResults(claimed)
    await refused(/summary\.[^ ]* is not what the samples say/)
  })

  test('arrays nested deeper than the stack', async () => {
    scene.upload({ 'results.json': '['.repeat(1_000_000) })
    await refused(/results\.json/)
  })

  test('an attack that is easier to withstand than the config’s', async () => {
    const weaker = { ...suite, attacks: suite.attacks.map((attack) => ({ ...attack, steps: 1 })) }
    const easier = (results: Results): Results => ({ ...results, suite: weaker })
    scene.uploadResults(easier(robust), easier(base))
    await refused(/were not made as the config asks/)
  })

  test('a verdict, a config and a commit of its own are not looked at', async () => {
    const verdict = { outcome: 'pass', fails: false }
    scene.uploadResults(weak, base, {
      'comparison.json': JSON.stringify({ schema: 'robustness-gate/comparison/1', verdict, headSha: other }),
      'event.json': JSON.stringify({ pull_request: { number: 3, head: { sha: other } } }),
      'robustness.yml': 'failOn: never',
    })
    expect(await scene.publish()).toMatchObject({ outputs: { verdict: 'regression' } })
    expect(scene.github.comments.map(({ pullRequest }) => pullRequest)).toEqual([2])
    expect(scene.github.checkRuns).toEqual([expect.objectContaining({ head_sha: head, conclusion: 'failure' })])
  })

  test('the name of a branch is text in the summary', async () => {
    const outcome = await scene.publish({ head_branch: '<img/src=x>@octocat' })
    expect(outcome.summary).toMatch(/^There is no pull request/)
    expect(outcome.summary).not.toMatch(/<img|@octocat/)
  })

  test('names that are markdown, mentions and orders to the runner stay names', async () => {
    const classNames = Array.from(
      { length: 10 },
      (_, label) => `${label} | </details> @octocat ![x](https://e.example/x)`,
    )
    const named = (results: Results): Results => ({
      ...results,
      model: { ...results.model, name: '::error::gone\n::stop-commands::x\n<img src=x>' },
      data: { ...results.data, classNames },
      summary: summarise(results.samples, { ...results, attacks: results.suite.attacks, classNames }),
    })
    scene.uploadResults(named(weak), named(base))
    const { log, errors } = await scene.publish()
    const { body } = scene.github.comments[0]
    expect(body).toContain('❌ **Regression**')
    expect(body.replaceAll(/`[^`]*`/g, '')).not.toMatch(/<img|!\[|@octocat|<\/details> /)
    expect(body.match(/<details>/g) ?? []).toHaveLength((body.match(/<\/details>/g) ?? []).length)
    expect(log).not.toMatch(/^::(error|stop-commands::x)/m)
    expect(errors).toEqual([])
  })
})
