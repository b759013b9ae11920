import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { unchangedComparison } from '../../src/comparison/compare.js'
import { installPublisher, mallorys, robust, startPublishing } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import type { InstalledAction } from '../support/github/runner.js'

/** A pull request that leaves the model as it is has attacked nothing, so its run has no results to upload. */

let action: InstalledAction
beforeAll(async () => {
  action = await installPublisher()
})
afterAll(() => action.remove())

let world: Publishing
beforeEach(async () => {
  world = await startPublishing(action)
  world.runs.pulls[0] = { ...mallorys, files: ['train.py', 'models/README.md'] }
})
afterEach(() => world.close())

const sha256 = robust.model.sha256
function said(of: string): string {
  const { suite, threats, seed } = robust
  const { name, sha256: images, samples } = robust.data
  const data = { name, sha256: images, samples }
  const origins = { candidate: { name: 'a.onnx', sha256: of }, baseline: { name: 'a.onnx at 1', sha256 } }
  return JSON.stringify(unchangedComparison({ suite, threats, seed, data, origins }))
}

test('its comparison says so, and the pull request gets a green check', async () => {
  world.upload({ 'comparison.json': said(sha256) })
  expect(await world.publish()).toMatchObject({ status: 0, outputs: { verdict: 'pass' }, errors: [] })
  expect(world.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'success' })])
  expect(world.github.comments[0].body).toContain('the model is unchanged, so nothing was attacked')
  expect(world.github.comments[0].body).toContain('they are its word')
})

const model = { model: 'models/classifier.onnx' }

test.each([
  ['the model', ['models/classifier.onnx'], model],
  ['its external data', ['models/classifier.onnx.data'], model],
  ['a model, where nobody says which is judged', ['models/classifier.onnx'], {}],
])('it is not believed where the pull request changes %s', async (_, files, inputs) => {
  world.runs.pulls[0] = { ...mallorys, files }
  world.upload({ 'comparison.json': said(sha256) })
  expect(await world.publish({}, inputs)).toMatchObject({ status: 0, outputs: { verdict: 'error' } })
  expect(world.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
  expect(world.github.comments[0].body).toContain('but the pull request changes')
})

test('it is not believed where GitHub does not list the files: the job is to be run again', async () => {
  world.upload({ 'comparison.json': said(sha256) })
  world.github.breakOperation('pulls/list-files', { status: 404, body: { message: 'Not Found' } })
  expect(await world.publish({}, model)).toMatchObject({ status: 3, outputs: { verdict: 'error' } })
  expect(world.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
})

test('of two models it is no answer', async () => {
  world.upload({ 'comparison.json': said('f'.repeat(64)) })
  await world.publish()
  expect(world.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
})

test('where the default branch has an absolute limit, a model that was not attacked does not meet it', async () => {
  world.upload({ 'comparison.json': said(sha256) })
  await world.publish({}, { 'min-robust-accuracy': '0.5' })
  expect(world.github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
})
