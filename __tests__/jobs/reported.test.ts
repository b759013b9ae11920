import { describe, expect, test } from '@jest/globals'
import { compare, unchangedComparison } from '../../src/comparison/compare.js'
import type { Absence, Comparison, Transfer } from '../../src/comparison/types.js'
import { parseConfig } from '../../src/config/parse.js'
import type { Config } from '../../src/config/types.js'
import type { Results } from '../../src/evaluation/results.js'
import { changeNotes } from '../../src/github/changedFiles.js'
import { comparedAsReported, governingOf } from '../../src/jobs/reported.js'
import type { Changes } from '../../src/jobs/reported.js'
import type { Run } from '../../src/jobs/services.js'
import { fates, handmadeBaseline, handmadeResults } from '../comparison/handmade.js'
import { suite } from '../support/github/publishing.js'

/** What a run without permissions reports is its word; what of it counts, and when it is not believed. */

const configOf = (more = ''): Config => parseConfig({ file: { name: 'a.yml', text: `epsilon: 0.1\n${more}` } })
const candidate = handmadeResults(fates('R', 150, 'p', 50), { suite })
const baseline = handmadeBaseline(fates('R', 150, 'p', 50), { suite })
const modelChanged: Changes = { paths: ['models/classifier.onnx'], complete: true }
const said = (absence?: Absence): Comparison => compare(candidate, undefined, configOf().policy, { absence })

describe('results without those of a baseline', () => {
  const judged = (report?: Comparison, more?: string, changes: Changes = modelChanged) =>
    comparedAsReported(configOf(more), { candidate, said: report }, changes).verdict

  test.each(['expired', 'broken', 'different'] as const)(
    '%s in the run is so here, and not a first adoption',
    (state) => {
      const verdict = judged(said({ state, why: 'the zip ends early' }))
      expect(verdict).toMatchObject({
        outcome: 'inconclusive',
        baseline: state,
        why: 'the zip ends early',
        fails: true,
      })
      expect(verdict.reasons[0].message).toContain('(the zip ends early)')
    },
  )

  test('missing, by the run’s word, is a first adoption, unless the default branch asks for a baseline', () => {
    expect(judged(said({ state: 'missing' }))).toMatchObject({ outcome: 'pass', baseline: 'missing' })
    expect(judged(said({ state: 'missing' }), 'onMissingBaseline: fail')).toMatchObject({ fails: true })
  })

  test('a run cannot say that none was wanted: the default branch does', () => {
    expect(judged(said({ state: 'none' }), 'onMissingBaseline: fail')).toMatchObject({
      baseline: 'missing',
      fails: true,
    })
    expect(judged(said({ state: 'none' }), '', 'none')).toMatchObject({ baseline: 'none', fails: false })
    expect(judged(undefined, 'baseline: none')).toMatchObject({ baseline: 'none', outcome: 'pass' })
  })

  test('without a word of why, or of a run that had one, the baseline is broken', () => {
    expect(judged(undefined)).toMatchObject({ baseline: 'broken', fails: true })
    expect(judged(compare(candidate, baseline, configOf().policy))).toMatchObject({ baseline: 'broken', fails: true })
  })
})

describe('a model that is said to be unchanged', () => {
  const { threats, seed, data } = candidate
  const origin = { name: 'models/classifier.onnx', sha256: 'a'.repeat(64) }
  const spared = { data, origins: { candidate: origin, baseline: origin } }
  const known = { suite, threats, seed, data, origins: spared.origins }
  const judged = (changes: Changes, model?: string) =>
    comparedAsReported(configOf(), { spared, said: unchangedComparison(known) }, changes, model).verdict
  const changing = (...paths: readonly string[]): Changes => ({ paths, complete: true })

  test.each([
    ['the model', 'models/classifier.onnx', 'models/classifier.onnx'],
    ['external data beside it', 'models/classifier.onnx.data', 'models/classifier.onnx'],
    ['external data below it', 'models/weights/layer1', 'models/classifier.onnx'],
    ['its DVC pointer', 'models/classifier.onnx.dvc', './models/classifier.onnx'],
    ['any model, where the config does not say which', 'other/digits.onnx', undefined],
    ['the model that the run names, where the config does not', 'models/classifier.onnx', undefined],
  ])('is not, where the pull request changes %s', (_, path, model) => {
    expect(() => judged(changing('README.md', path), model)).toThrow(/but the pull request changes .*; run it again/)
  })

  test.each([
    ['another model', 'models/other.onnx', 'models/classifier.onnx'],
    ['what lies beside it', 'models/README.md', 'models/classifier.onnx'],
    ['the rest of the repository of a model at its root', 'src/train', 'classifier.onnx'],
    ['a license', 'LICENSE', 'classifier.onnx'],
  ])('passes where the pull request changes %s', (_, path, model) => {
    expect(judged(changing(path), model)).toMatchObject({ outcome: 'pass' })
  })

  test('is not believed where the files cannot be listed, or not all of them', () => {
    expect(() => judged('unknown')).toThrow('run this job again')
    expect(() => judged({ paths: [], complete: false })).toThrow('more files than GitHub lists')
  })

  test('passes in a run that no pull request has started', () => {
    expect(judged('none')).toMatchObject({ outcome: 'pass' })
  })
})

describe('what one model’s adversarial examples did to the other', () => {
  const robust = (results: Results) =>
    results.samples.filter(({ threats }) => threats['linf-0.1'].robust).map(({ index }) => index)
  const broken: Transfer = {
    ...{ from: 'baseline', to: 'candidate', threat: 'linf-0.1', tried: 100 },
    fooled: robust(candidate).slice(0, 40),
  }
  const judged = (transfer: readonly Transfer[]) => {
    const report = { ...compare(candidate, baseline, configOf().policy), transfer }
    return comparedAsReported(configOf(), { candidate, baseline, said: report }, modelChanged)
  }

  test('keeps a model with masked gradients from passing, as it did in the run', () => {
    expect(judged([])).toMatchObject({ verdict: { outcome: 'pass' } })
    const comparison = judged([broken])
    expect(comparison.verdict.outcome).toBe('inconclusive')
    expect(comparison.verdict.reasons[0].code).toBe('masked-gradients')
    expect(comparison.transfer).toEqual([broken])
  })

  test.each<[string, Transfer]>([
    ['images that were not robust', { ...broken, fooled: [199] }],
    ['an image twice', { ...broken, fooled: [1, 1] }],
    ['more images than were tried', { ...broken, tried: 1 }],
    ['more tries than robust images', { ...broken, tried: 1000 }],
    ['a threat that is none', { ...broken, threat: '__proto__', fooled: [] }],
    ['one model on itself', { ...broken, from: 'candidate' }],
  ])('is refused with %s', (_, transfer) => {
    expect(() => judged([transfer])).toThrow('contradicts the results')
  })

  test('is refused twice under one threat', () => {
    expect(() => judged([broken, broken])).toThrow('contradicts the results')
  })
})

describe('where the models came from', () => {
  const judged = (sha256: string) => {
    const origins = { baseline: { name: 'a.onnx at 1', sha256, commit: 'c'.repeat(40) } }
    const report = { ...compare(candidate, baseline, configOf().policy), origins }
    return comparedAsReported(configOf(), { candidate, baseline, said: report }, modelChanged)
  }

  test('both commits are in the published comparison', () => {
    expect(judged(baseline.model.sha256).origins?.baseline?.commit).toBe('c'.repeat(40))
  })

  test('an origin of another model than the results’ is refused', () => {
    expect(() => judged('e'.repeat(64))).toThrow('another baseline than the results')
  })
})

describe('a pull request that changes what it is judged by', () => {
  const run = { workspace: '/w', inputs: { config: 'robustness.yml' } } as unknown as Run
  const notes = (paths: readonly string[], more = '') => {
    const config = configOf(`data: data/test-images-idx3-ubyte\nbaseline: "results:base.json"\n${more}`)
    const changes = { paths, complete: true }
    return changeNotes(changes, governingOf(config, {}, changes, run))
  }

  test.each([
    ['data/test-images-idx3-ubyte', 'changes the data (data/test-images-idx3-ubyte). Both models were measured on'],
    ['data/test-images-idx3-ubyte.dvc', 'changes the data'],
    ['data/test-labels-idx1-ubyte.gz', 'changes the labels (data/test-labels-idx1-ubyte.gz)'],
    ['robustness.yml', 'changes the config (robustness.yml). It is judged by the one of the default branch'],
    ['base.json', 'changes the baseline (base.json)'],
    ['.github/workflows/a.yml', 'may have been another workflow'],
  ])('%s: the report says so', (path, sentence) => {
    expect(notes(['README.md', path])).toEqual([expect.stringContaining(sentence)])
  })

  test('labels and class names that the config names', () => {
    const config = configOf()
    const dataOptions = { ...config.dataOptions, labels: '/w/data/y.bin', classNames: '/w/names.txt' }
    const changes = { paths: ['data/y.bin', 'names.txt'], complete: true }
    expect(governingOf({ ...config, dataOptions }, {}, changes, run).map(({ path }) => path)).toEqual(
      expect.arrayContaining(changes.paths),
    )
  })

  test('data that only the run names, a file or a folder', () => {
    for (const [name, path] of [
      ['images.npz', 'data/images.npz'],
      ['test', 'data/test/3/a.png'],
    ]) {
      const changes = { paths: ['README.md', path], complete: true }
      const named = { ...candidate, data: { ...candidate.data, name } }
      expect(changeNotes(changes, governingOf(configOf(), { candidate: named }, changes, run))).toEqual([
        expect.stringContaining(`changes the data (${path})`),
      ])
    }
  })

  test('nothing of that, and no word of it; more than GitHub lists, and one of that', () => {
    expect(notes(['README.md', 'database/x'])).toEqual([])
    expect(changeNotes({ paths: [], complete: false }, [])).toEqual([expect.stringContaining('more files than GitHub')])
  })
})
