import { expect, test } from '@jest/globals'
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
