import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { pullRequestScene } from '../support/github/pullRequestScene.js'
import type { PullRequestScene } from '../support/github/pullRequestScene.js'
import { installAction } from '../support/github/runner.js'
import type { InstalledAction } from '../support/github/runner.js'

/** What a pull request hears from one push to the next, on the built action. */

const model = 'models/classifier.onnx'
const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const weaker = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const before = { [model]: hardened, 'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz') }
const inputs = { model, data: 'data/test.npz', epsilon: '0.1', samples: '16', suite: 'quick', decision: 'observed' }

let action: InstalledAction
beforeAll(async () => {
  action = await installAction()
})
afterAll(() => action.remove())

let scene: PullRequestScene
beforeEach(async () => {
  scene = await pullRequestScene(action)
})
afterEach(() => scene.close())

const pushes = { weaker, unchanged: hardened }
type Push = keyof typeof pushes

/** The headline of the pull request's comment after each push; undefined without a comment. */
async function heard(comment: string, ...models: readonly Push[]): Promise<readonly (string | undefined)[]> {
  const headlines: (string | undefined)[] = []
  for (const [place, push] of models.entries()) {
    const pull = await scene.open(before, { [model]: pushes[push], 'README.md': `${place}` })
    const { warnings } = await scene.run(pull, { ...inputs, comment })
    expect(warnings).toEqual([])
    headlines.push(/\*\*(Regression|Pass)\*\*/.exec(scene.github.comments[0]?.body ?? '')?.[1])
  }
  expect(scene.github.comments.length).toBeLessThanOrEqual(1)
  return headlines
}

describe('comment', () => {
  test.each([
    ['always', ['unchanged', 'weaker', 'unchanged'], ['Pass', 'Regression', 'Pass']],
    ['on-change', ['unchanged', 'weaker', 'unchanged'], ['Pass', 'Regression', 'Pass']],
    ['on-failure', ['unchanged', 'weaker', 'unchanged'], [undefined, 'Regression', 'Pass']],
    ['never', ['weaker', 'unchanged'], [undefined, undefined]],
  ] as const)('%s, for %j', async (mode, models, headlines) => {
    expect(await heard(mode, ...models)).toEqual(headlines)
    // Whatever is said to people, the check of each commit is there.
    expect(scene.github.checkRuns).toHaveLength(models.length)
  })

  test('on-change: the same figures for another commit are not worth a write; always: they are', async () => {
    const writes = () => scene.github.operations.filter((id) => /^issues\/(create|update)-comment$/.test(id)).length
    await heard('on-change', 'weaker')
    const once = writes()
    expect(once).toBeGreaterThan(0)
    await heard('on-change', 'weaker')
    expect(writes()).toBe(once)
    await heard('always', 'weaker')
    expect(writes()).toBeGreaterThan(once)
  })
})

test('the workflow of the README, pasted into a repository with a model and images, blocks a weaker model', async () => {
  const readme = readFileSync('README.md', 'utf8')
  const text = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, each]) => each)
    .find((each) => /jobs:/.test(each))
  const workflow = parse(text ?? '') as { jobs: { robustness: { steps: { with?: Record<string, string> }[] } } }
  const given = workflow.jobs.robustness.steps.at(-1)?.with ?? {}
  const pull = await scene.open(before, { [model]: weaker })
  const outcome = await scene.run(pull, { ...given, samples: '96' })
  expect(outcome).toMatchObject({ status: 1, warnings: [], outputs: { verdict: 'regression' } })
  expect(scene.github.comments).toHaveLength(1)
})
