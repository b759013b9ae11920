import { readFileSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { unzipSync, zipSync } from 'fflate'
import { readNpz } from '../../src/data/npz.js'
import type { Results } from '../../src/evaluation/results.js'
import { hostLabels } from '../support/github/labels.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import type { LoopbackGitHub } from '../support/github/loopback.js'
import { pullRequestFrom } from '../support/github/payloads.js'
import { installPublisher } from '../support/github/publishing.js'
import { hostRepository } from '../support/github/repository.js'
import type { Content, HostedRepository } from '../support/github/repository.js'
import { startResultsService } from '../support/github/resultsService.js'
import type { ResultsService } from '../support/github/resultsService.js'
import { installAction, runJob } from '../support/github/runner.js'
import type { InstalledAction, Job, Outcome } from '../support/github/runner.js'
import { hostRuns } from '../support/github/workflowRuns.js'

/**
 * The built action in a matrix: three jobs that evaluate a part each, in checkouts of their own, and one that joins what they
 * uploaded. What the whole gate says of the same pull request is what the joined parts have to say.
 */

const model = 'models/classifier.onnx'
const config = `model: ${model}\ndata: data/test.npz\nepsilon: 0.1\nsamples: 40\nsuite: quick\n`
const hardened = readFileSync('fixtures/fashion/fashion-hardened.onnx')
const finetuned = readFileSync('fixtures/fashion/fashion-finetuned.onnx')
const examples = 'adversarial-linf-0.1.npz'
const written = [
  examples,
  'baseline.json',
  'comparison.json',
  'junit.xml',
  'report.md',
  'results.json',
  'robustness.sarif',
]

let evaluator: InstalledAction
/** Without the program that loads models. */
let merger: InstalledAction
let hosted: HostedRepository
let github: LoopbackGitHub
const runs = hostRuns()
const labels = hostLabels()
let base: string
/** Jobs of two pull requests. */
let weaker: Omit<Job, 'inputs' | 'workspace'>
let unchanged: typeof weaker

/** Folders as actions/download-artifact leaves them, one for each artifact. */
let downloaded: string
let whole: Outcome
let wholeFiles: Readonly<Record<string, string>>
let shards: readonly Outcome[]
/** What GitHub was asked for while the shards ran. */
let askedByShards: readonly string[]

beforeAll(async () => {
  evaluator = await installAction()
  merger = await installPublisher()
  hosted = await hostRepository()
  github = await startGitHub({
    ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], extensions: [runs, labels] },
    tokens: { ghs_writes: actionsToken },
  })
  base = await hosted.commit('main', {
    ...{ [model]: hardened, 'robustness.yml': config },
    'data/test.npz': readFileSync('fixtures/fashion/fashion-test.npz'),
  })
  weaker = await pullRequest('weaker', { [model]: finetuned })
  unchanged = await pullRequest('unchanged', { 'README.md': 'Words.' })
  downloaded = join(hosted.folder, 'downloaded')
  shards = await Promise.all([1, 2, 3].map((index) => evaluateShard(index)))
  askedByShards = [...github.operations]
  whole = await run(evaluator, {})
  wholeFiles = await filesIn(whole)
}, 240_000)
afterAll(async () => {
  await github.close()
  await hosted.remove()
  for (const action of [evaluator, merger]) await action.remove()
})
beforeEach(() => {
  github.comments.length = 0
  github.checkRuns.length = 0
})

async function pullRequest(branch: string, files: Content): Promise<typeof weaker> {
  const head = await hosted.commit(branch, files, base)
  const sha = await hosted.merge(2, base, head)
  const payload = pullRequestFrom(head, base)
  return { event: 'pull_request', payload, sha, apiUrl: github.url, token: 'ghs_writes' }
}

async function run(action: InstalledAction, inputs: Job['inputs'], workspace?: string, job = weaker): Promise<Outcome> {
  const checkout = workspace ?? (await hosted.checkout(job.sha, 1))
  return runJob(action, { ...job, workspace: checkout, inputs: { config: 'robustness.yml', ...inputs } })
}

async function evaluateShard(index: number): Promise<Outcome> {
  const workspace = await hosted.checkout(weaker.sha, 1)
  const outcome = await run(evaluator, { shard: `${index}/3` }, workspace)
  await mkdir(downloaded, { recursive: true })
  await cp(join(workspace, 'robustness-gate-results'), join(downloaded, `robustness-gate-shard-${index}`), {
    recursive: true,
  })
  return outcome
}

/** Joins what `change` leaves of the downloaded shards. */
async function merge(
  change: (folder: string) => Promise<unknown> = () => Promise.resolve(),
  inputs: Job['inputs'] = {},
  environment?: Job['environment'],
): Promise<Outcome> {
  const workspace = await hosted.checkout(weaker.sha, 1)
  await cp(downloaded, join(workspace, 'shards'), { recursive: true })
  await change(join(workspace, 'shards'))
  return run(merger, { mode: 'merge', results: 'shards', ...inputs }, workspace, { ...weaker, environment })
}

/** The seconds an evaluation took are the only thing that may differ. */
async function filesIn({ outputs }: Outcome): Promise<Readonly<Record<string, string>>> {
  const folder = join(outputs.comparison, '..')
  const names = (await readdir(folder)).sort()
  const texts = await Promise.all(
    names.map((name) => readFile(join(folder, name), name.endsWith('.npz') ? 'latin1' : 'utf8')),
  )
  const timeless = (text: string) =>
    text.replace(/"seconds": [\d.e-]+/g, '"seconds": 0').replace(/, \d+ s, /g, ', 0 s, ')
  return Object.fromEntries(names.map((name, place) => [name, timeless(texts[place])]))
}

test('a shard evaluates its part of both models, posts nothing, says no verdict, and succeeds though the model is worse', async () => {
  expect(shards.map(({ status, errors }) => ({ status, errors }))).toEqual(
    [1, 2, 3].map(() => ({ status: 0, errors: [] })),
  )
  for (const { outputs, summary } of shards) expect([outputs.verdict, summary]).toEqual(['', ''])
  expect(askedByShards).toEqual([])
  for (const [place, size] of [14, 13, 13].entries()) {
    const folder = join(downloaded, `robustness-gate-shard-${place + 1}`)
    expect((await readdir(folder)).sort()).toEqual([examples, 'baseline.json', 'results.json', 'shard.json'])
    for (const name of ['baseline.json', 'results.json']) {
      const results = JSON.parse(await readFile(join(folder, name), 'utf8')) as { samples: unknown[] }
      expect(results.samples).toHaveLength(size)
    }
  }
})

describe('three shards, joined where no model can be loaded,', () => {
  const unmasked = ({ outputs }: Outcome) =>
    Object.fromEntries(Object.entries(outputs).filter(([name]) => !/^(comparison|results|report)$/.test(name)))

  test('are the whole: status, outputs, and every file to the byte but for the seconds', async () => {
    const joined = await merge()
    expect(joined).toMatchObject({ status: 1, warnings: [], errors: whole.errors })
    expect(whole.outputs.verdict).toBe('regression')
    expect(unmasked(joined)).toEqual(unmasked(whole))
    expect(Object.keys(wholeFiles)).toEqual(expect.arrayContaining(written))
    expect(await filesIn(joined)).toEqual(wholeFiles)
    // Each model's adversarial examples were tried on the other, too.
    expect(JSON.parse(wholeFiles['comparison.json'])).toHaveProperty('transfer')
    expect(github.comments).toEqual([expect.objectContaining({ body: expect.stringContaining('❌ **Regression**') })])
    expect(github.checkRuns).toEqual([expect.objectContaining({ name: 'Robustness gate', conclusion: 'failure' })])
  })

  test('the job fetches the artifacts of its own run where no folder is given', async () => {
    for (const index of [1, 2, 3]) {
      const folder = join(downloaded, `robustness-gate-shard-${index}`)
      const files = await Promise.all(
        (await readdir(folder)).map(async (name) => [name, new Uint8Array(await readFile(join(folder, name)))]),
      )
      const zip = zipSync(Object.fromEntries(files) as Record<string, Uint8Array>)
      runs.artifacts.push({ run: 42, name: `robustness-gate-shard-${index}`, zip })
    }
    runs.artifacts.push({ run: 42, name: 'logs', zip: zipSync({ 'log.txt': new Uint8Array([1]) }) })
    const joined = await merge((folder) => rm(folder, { recursive: true }), { results: '' })
    runs.artifacts.length = 0
    expect(joined).toMatchObject({ status: 1, outputs: { verdict: 'regression' } })
    expect(await filesIn(joined)).toEqual(wholeFiles)
  })

  test('fail until somebody accepts the model, as the whole does', async () => {
    labels.pulls.push({ number: 2, author: 'octocat', base: 'main', commits: [], events: [] })
    expect((await merge()).status).toBe(1)
    const label = 'robustness-regression-accepted'
    labels.pulls[0].events.push({ event: 'labeled', label, who: 'mona', when: github.now() })
    const accepted = await merge()
    labels.pulls.length = 0
    expect(accepted).toMatchObject({ status: 0, outputs: { verdict: 'regression' }, warnings: [] })
    expect(accepted.summary).toContain('accepted by mona')
  })

  test('are judged by the policy of the base commit’s config here', async () => {
    expect(await merge(undefined, { 'max-robust-drop': '100' })).toMatchObject({
      status: 0,
      outputs: { verdict: 'pass' },
    })
  })
})

describe('what is no whole is an error that names the shard, in log, check and comment', () => {
  async function refused(words: RegExp, change: (folder: string) => Promise<unknown>): Promise<void> {
    const { status, outputs, errors } = await merge(change)
    expect({ status, verdict: outputs.verdict }).toEqual({ status: 2, verdict: 'error' })
    expect(errors).toEqual([expect.stringMatching(words)])
    expect(github.checkRuns).toEqual([expect.objectContaining({ conclusion: 'failure' })])
    expect(github.comments).toEqual([expect.objectContaining({ body: expect.stringContaining('🛑 **Error**') })])
  }
  const shard = (folder: string, index: number) => join(folder, `robustness-gate-shard-${index}`)

  test('a shard is missing', async () => {
    await refused(/of 3 shards this is missing: 2\/3/, (folder) => rm(shard(folder, 2), { recursive: true }))
  })

  test('a shard is there twice', async () => {
    await refused(/shards\/twin: is shard 2\/3, and so is shards\/robustness-gate-shard-2/, (folder) =>
      cp(shard(folder, 2), join(folder, 'twin'), { recursive: true }),
    )
  })

  test('all are missing', async () => {
    await refused(/results shards: there is no shard of "Robustness gate"; did the jobs/, (folder) =>
      rm(folder, { recursive: true }),
    )
  })

  test('a shard without its baseline', async () => {
    await refused(/shard-3: the results of the baseline contradict/, (folder) =>
      rm(join(shard(folder, 3), 'baseline.json')),
    )
  })

  test('shards that the pull request itself has committed: none can name the commit it is in', async () => {
    await refused(/is of commit 0{12}, and [0-9a-f]{12} is judged/, async (folder) => {
      for (const index of [1, 2, 3]) {
        const file = join(shard(folder, index), 'shard.json')
        const record = JSON.parse(await readFile(file, 'utf8')) as object
        await writeFile(file, JSON.stringify({ ...record, commit: '0'.repeat(40) }))
      }
    })
  })
})

test('a model that is unchanged is not attacked in shards either, and passes', async () => {
  const workspace = await hosted.checkout(unchanged.sha, 1)
  for (const index of [1, 2]) {
    const inputs = { shard: `${index}/2`, 'output-dir': `shards/${index}` }
    expect(await run(evaluator, inputs, workspace, unchanged)).toMatchObject({ status: 0 })
    expect(await readdir(join(workspace, 'shards', String(index)))).toEqual(['shard.json'])
  }
  const joined = await run(merger, { mode: 'merge', results: 'shards' }, workspace, unchanged)
  expect(joined).toMatchObject({ status: 0, outputs: { verdict: 'pass' } })
  const alone = await run(evaluator, {}, undefined, unchanged)
  expect(await filesIn(joined)).toEqual(await filesIn(alone))
  await rm(join(workspace, 'shards/2'), { recursive: true })
  const { errors } = await run(merger, { mode: 'merge', results: 'shards' }, workspace, unchanged)
  expect(errors).toEqual([expect.stringMatching(/of 2 shards this is missing: 2\/2/)])
})

describe('with upload: true the job that joins', () => {
  async function merged(change?: Parameters<typeof merge>[0]): Promise<Outcome & { readonly service: ResultsService }> {
    const service = await startResultsService()
    const outcome = await merge(change, { upload: 'true', cache: 'false' }, service.environment)
    await service.close()
    return { ...outcome, service }
  }

  test('uploads what one job would have uploaded, the images that fool the model among it', async () => {
    const { status, warnings, service } = await merged()
    expect({ status, warnings }).toEqual({ status: 1, warnings: [] })
    expect(service.artifacts.map(({ name }) => name)).toEqual(['robustness-gate'])
    const uploaded = unzipSync(service.artifacts[0].zip)
    expect(Object.keys(uploaded).sort()).toEqual(Object.keys(wholeFiles))
    expect(Buffer.from(uploaded[examples]).toString('latin1')).toBe(wholeFiles[examples])
    const broken = (JSON.parse(wholeFiles['results.json']) as Results).samples.filter(
      (sample) => !sample.threats['linf-0.1'].robust && sample.predicted === sample.label,
    )
    const { index } = readNpz(uploaded[examples], examples, ['index'])
    expect([...index.data].map(Number)).toEqual(broken.map((sample) => sample.index))
  })

  test('keeps no half of them where a shard has none', async () => {
    const { status, service, log } = await merged((folder) => rm(join(folder, 'robustness-gate-shard-2', examples)))
    expect(status).toBe(1)
    expect(Object.keys(unzipSync(service.artifacts[0].zip))).not.toContain(examples)
    expect(log).toContain(`Only 2 of 3 shards have ${examples}`)
  })

  test('keeps none that a shard’s results do not know, and says its verdict all the same', async () => {
    const { status, outputs, errors, warnings, service } = await merged(async (folder) => {
      const [one, other] = [1, 2].map((index) => join(folder, `robustness-gate-shard-${index}`, examples))
      await cp(one, other)
    })
    expect({ status, verdict: outputs.verdict, errors }).toEqual({
      ...{ status: 1, verdict: 'regression', errors: whole.errors },
    })
    expect(warnings).toEqual([expect.stringMatching(/shard-2\/adversarial-linf-0\.1\.npz: is not what a shard writes/)])
    expect(Object.keys(unzipSync(service.artifacts[0].zip))).not.toContain(examples)
  })
})

describe('with upload: true a shard', () => {
  async function upload(service: ResultsService): Promise<Outcome> {
    const workspace = await hosted.checkout(unchanged.sha, 1)
    const inputs = { config: 'robustness.yml', cache: 'false', upload: 'true', shard: '2/3' }
    return runJob(evaluator, { ...unchanged, workspace, inputs, environment: service.environment })
  }

  test('uploads what it wrote under a name that says which it is', async () => {
    const service = await startResultsService()
    expect(await upload(service)).toMatchObject({ status: 0, warnings: [], errors: [] })
    expect(service.artifacts.map(({ name }) => name)).toEqual(['robustness-gate-shard-2-of-3'])
    expect(Object.keys(unzipSync(service.artifacts[0].zip))).toEqual(['shard.json'])
    await service.close()
  })

  test('fails where it cannot be uploaded: a job that is green is not run again', async () => {
    const service = await startResultsService()
    service.broken.set('CreateArtifact', 403)
    const { status, errors } = await upload(service)
    expect({ status, errors }).toEqual({
      ...{ status: 3, errors: [expect.stringContaining('robustness-gate-shard-2-of-3 could not be uploaded')] },
    })
    await service.close()
  })
})

test('shards made with another ε than the config’s are not believed', async () => {
  const { status, errors } = await merge(undefined, { epsilon: '0.2' })
  expect({ status, errors }).toEqual({ status: 2, errors: [expect.stringMatching(/not made as the config asks/)] })
})

test.each([
  [{ shard: '4/3' }, /input shard: "4\/3" is no part of a whole/],
  [{ shard: '1/3', mode: 'merge' }, /input shard: is for mode: gate, not merge/],
  [{ mode: 'merge', 'github-token': '' }, /give the input results, a folder, or a github-token/],
])('%j is refused in one line', async (inputs, words) => {
  const { status, errors } = await run(merger, inputs)
  expect({ status, errors }).toEqual({ status: 2, errors: [expect.stringMatching(words)] })
})
