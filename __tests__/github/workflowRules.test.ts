import { describe, expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import { documented, isGate, read, settingsOf, stepsOf } from '../support/workflows.js'
import type { Job } from '../support/workflows.js'

/** What GitHub makes of a workflow that people copy and require: no way past the gate, and no end without a verdict. */

const always = '${{ always() }}'

describe('what is green is so for the branch that is guarded', () => {
  const required = documented.filter((path) => 'pull_request' in read(path).on)

  test.each(required)('%s judges what goes into that branch only, and again when the base changes', (path) => {
    const { pull_request: pull, merge_group: group } = read(path).on
    // A status belongs to a commit: one for another base would be green on a pull request into this one, too.
    expect(pull.branches).toEqual(['main'])
    expect(pull.types).toEqual(expect.arrayContaining(['opened', 'synchronize', 'reopened', 'edited']))
    expect(group.branches).toEqual(['main'])
  })

  test.each(required.filter((path) => read(path).concurrency !== undefined))(
    '%s is ended by a new commit or base, not by a title or a label, whose run would leave nothing to publish',
    (path) => {
      expect(read(path).concurrency?.['cancel-in-progress']).toBe(
        "${{ github.event.action == 'synchronize' || github.event.changes.base.ref.from != '' }}",
      )
    },
  )

  test.each(documented)('%s skips no job, which would count as passed', (path) => {
    for (const { needs, if: condition } of Object.values(read(path).jobs))
      expect(condition).toBe(needs === undefined ? undefined : always)
  })
})

describe('a gate has the time that it takes for itself, after which GitHub would end it without a word:', () => {
  const evaluating = ({ steps }: Job) =>
    steps.filter((step) => isGate(step) && !['merge', 'publish'].includes(String(step.with?.mode)))
  const evaluations = documented.flatMap((path) =>
    Object.entries(read(path).jobs).flatMap(([id, job]) =>
      evaluating(job).map((gate) => [path, id, job['timeout-minutes'] ?? 0, gate] as const),
    ),
  )

  test.each(evaluations)('%s, job %s', (_path, _id, minutes, gate) => {
    const { limits } = parseConfig({ flags: settingsOf(gate), flagsAre: 'inputs' })
    const models = gate.with?.baseline === 'none' ? 1 : 2
    expect(minutes * 60).toBeGreaterThan(models * limits.seconds)
  })
})

const uploads = documented.flatMap((path) =>
  stepsOf(path)
    .filter(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
    .map((step) => [path, step.with?.name, step] as const),
)

test.each(uploads)(
  '%s can be run again: %s takes the place of what the run before has uploaded',
  (_path, _name, step) => {
    expect(step.with).toMatchObject({ overwrite: true })
  },
)
