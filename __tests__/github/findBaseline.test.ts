import { describe, expect, test } from '@jest/globals'
import type { ArtifactReader } from '../../src/github/artifactReader.js'
import type { BaselineRequest } from '../../src/github/baselineRequest.js'
import { findBaseline } from '../../src/github/findBaseline.js'

test.each([
  ['in a clone', { fetched: false }],
  ['of a model that is fetched', { fetched: true }],
])('a fault of the gate itself, %s, is no state of the baseline’s, which a policy could turn green', async (_, how) => {
  const request = { spec: 'auto', model: '/workspace/a.onnx', workspace: '/workspace', guarded: true, ...how }
  const broken = () => Promise.reject(new TypeError("Cannot read properties of undefined (reading 'sha')"))
  const noClone = () => Promise.resolve(undefined)
  await expect(findBaseline(request, broken, noClone)).rejects.toThrow(TypeError)
})

describe('where nothing is compared until the base branch uploads something, the report and a warning say so of every pull request', () => {
  const nothingThere: ArtifactReader = {
    ...{
      baseBranch: 'main',
      ofThisRun: () => Promise.resolve(undefined),
      ofBase: () => Promise.resolve({ none: true }),
    },
    open: () => Promise.reject(new Error('there is nothing')),
  }
  const found = (request: Partial<BaselineRequest>) =>
    findBaseline(
      {
        spec: 'auto',
        model: '/workspace/a.onnx',
        workspace: '/workspace',
        guarded: true,
        ownArtifact: 'gate',
        ...request,
      },
      () => Promise.resolve({ commit: 'c'.repeat(40) }),
      () => Promise.resolve(undefined),
      nothingThere,
    )

  test.each<[string, Partial<BaselineRequest>]>([
    ['a candidate that is fetched', { fetched: true }],
    ['a candidate that a job hands over', { artifact: { name: 'model' } }],
    ['a baseline that a job hands over', { spec: 'artifact:model' }],
  ])('%s', async (_, request) => {
    const told = expect.stringMatching(
      /no pull request is compared with anything: .*on push.*on-missing-baseline: fail/,
    )
    expect(await found(request)).toEqual({ kind: 'missing', reason: told, warning: told })
  })

  test('but not of the push that uploads it', async () => {
    const first = await found({ fetched: true, guarded: false })
    expect(first).toEqual({ kind: 'missing', reason: expect.stringContaining('compared with what this run uploads') })
  })
})
