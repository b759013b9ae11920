import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { everyFault, isFinal, spread } from '../support/github/faults.js'
import { heldJob } from '../support/github/heldJob.js'
import type { HeldJob } from '../support/github/heldJob.js'
import { hostLabels } from '../support/github/labels.js'
import type { HostedLabels } from '../support/github/labels.js'
import { head, installPublisher, startPublishing, weak } from '../support/github/publishing.js'
import type { Publishing } from '../support/github/publishing.js'
import type { InstalledAction, Outcome } from '../support/github/runner.js'

/**
 * The built action publishes an accepted regression, over what a first run has posted, and one of its requests goes wrong: people
 * are told the right verdict, and of all that is missing, in one line.
 */

const label = 'robustness-regression-accepted'
const look = ['pulls/get', 'checks/list-for-ref', 'issues/list-comments']
const storage = 'the storage'
/** The run with its artifacts; the label; the check run, a new one since the failure's annotations are there; the comments. */
const way = [
  ...['pulls/list', 'pulls/list-files', 'actions/list-workflow-run-artifacts', 'actions/download-artifact', storage],
  ...['pulls/get', 'issues/list-events', 'checks/list-for-ref'],
  ...['checks/list-for-ref', 'checks/list-annotations', 'checks/create'],
  ...[...look, 'issues/update-comment', ...look, 'issues/delete-comment'],
]
/** The places of the requests that find out whether the label counts, and for which pull request. */
const ofAcceptance = [0, 5, 6, 7]
const ofArtifact = ['actions/list-workflow-run-artifacts', 'actions/download-artifact', storage]

let action: InstalledAction
let scene: Publishing
let labels: HostedLabels
let held: HeldJob
/** What the first run has posted. */
let posted: Pick<Publishing['github'], 'comments' | 'checkRuns'>

async function start(): Promise<void> {
  labels = hostLabels()
  labels.pulls.push({ number: 2, author: 'mallory', base: 'main', commits: [head], events: [] })
  scene = await startPublishing(action, [labels])
  scene.github.heads.set(2, head)
  scene.uploadResults(weak)
  held = heldJob()
  scene.github.onStall = held.onStall
}
const publish = (attempt: number): Promise<Outcome> =>
  scene.publish({ run_attempt: attempt }, { model: 'models/classifier.onnx' }, undefined, held)

beforeAll(async () => {
  action = await installPublisher()
  await start()
  expect(await publish(1)).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [] })
  posted = structuredClone({ comments: scene.github.comments, checkRuns: scene.github.checkRuns })
  await scene.close()
})
afterAll(() => action.remove())
beforeEach(async () => {
  await start()
  const { comments, checkRuns } = structuredClone(posted)
  // What comes next has greater ids.
  scene.github.comments.push({ ...comments[0], id: 1 }, { ...comments[0], id: 2 })
  scene.github.checkRuns.push(...checkRuns.map((checkRun, place) => ({ ...checkRun, id: place + 1 })))
  // The first report's time is the loopback's first minute.
  scene.github.now()
  labels.pulls[0].events.push({ event: 'labeled', label, who: 'mona', when: scene.github.now() })
})
afterEach(() => scene.close())

function expectPosted(): void {
  expect(scene.github.checkRuns.at(-1)).toMatchObject({ head_sha: head, conclusion: 'success' })
  expect(scene.github.comments).toEqual([
    expect.objectContaining({ body: expect.stringContaining('☑️ **Regression (accepted by mona)**') }),
  ])
}

test('in order', async () => {
  expect(await publish(2)).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [], errors: [] })
  expect(scene.github.operations).toEqual(way.filter((call) => call !== storage))
  expectPosted()
})

describe('once', () => {
  test.each(spread(Object.entries(everyFault), way, 11))(
    '$name: at request $place, $call',
    async ({ name, fault, place }) => {
      const call = way[place]
      const before = way.slice(0, place).filter((one) => one !== storage).length
      let left = call === storage
      scene.github.faultAt = (at) => (call !== storage && at === before ? fault : undefined)
      scene.github.faultOfFile = () => (left ? ((left = false), fault) : undefined)
      const { status, outputs, summary, warnings, errors } = await publish(2)
      if (ofArtifact.includes(call) && outputs.verdict === 'error') {
        // What a storage does not call cut off cannot be told from a stranger's broken file, and running again mends none.
        const isUnnoticed = call === storage && name.startsWith('truncated')
        expect({ status, warnings }).toEqual({ status: isUnnoticed ? 0 : 3, warnings: [] })
        expect(errors).toEqual(isUnnoticed ? [] : [expect.stringMatching(/artifact/)])
        expect(summary).toContain('🛑 **Error**')
        expect(scene.github.checkRuns.at(-1)).toMatchObject({ head_sha: head, conclusion: 'failure' })
        return
      }
      expect({ status, verdict: outputs.verdict, errors }).toEqual({ status: 0, verdict: 'regression', errors: [] })
      // Who cannot be told of the label accepts nothing.
      const isAccepted = !(isFinal(name) && ofAcceptance.includes(place))
      expect(summary).toContain(isAccepted ? '☑️ **Regression (accepted by mona)**' : '❌ **Regression**')
      if (!isFinal(name)) expect(warnings).toEqual([])
      if (warnings.length === 0) expectPosted()
      else expect(warnings).toEqual([expect.stringMatching(/could not be (looked up|listed|read|posted)|was skipped/)])
    },
  )
})
