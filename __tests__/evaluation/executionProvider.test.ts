import { expect, test } from '@jest/globals'
import { parseConfig } from '../../src/config/parse.js'
import { engineName } from '../../src/engine/engineName.js'
import { keyOf } from '../../src/evaluationStore.js'
import { childLimits, loadRequest, workerCount } from '../../src/evaluation/evaluate.js'
import { requestOf } from './support.js'

const cuda = { executionProvider: 'cuda' } as const

test('results of a graphics card are told apart from those of a processor, and never recalled in their place', () => {
  expect([engineName('1.30.0', 'cuda'), engineName('1.30.0', 'cpu'), engineName('1.30.0')]).toEqual([
    ...['onnxruntime 1.30.0 cuda', 'onnxruntime 1.30.0', 'onnxruntime 1.30.0'],
  ])
  expect(keyOf(requestOf(16, {}, cuda), 'a processor')).not.toBe(keyOf(requestOf(16), 'a processor'))
  expect(keyOf(requestOf(16, {}, { executionProvider: 'cpu' }), 'a processor')).toBe(
    keyOf(requestOf(16), 'a processor'),
  )
})

test('the child is told what to run on, and only then gets what a graphics card needs', () => {
  expect(loadRequest(requestOf(16, {}, cuda)).executionProvider).toBe('cuda')
  expect(childLimits(requestOf(16, {}, cuda))).toEqual({ timeLimitSeconds: 60, cuda: true })
  expect(childLimits(requestOf(16))).toEqual({ timeLimitSeconds: 60 })
})

test('a card has one process unless more are asked for: each would hold a copy of the model there', () => {
  const workers = (flags: Record<string, string>) => workerCount(parseConfig({ flags }).limits, 1000, 8)
  expect(workers({})).toBe(8)
  expect(workers({ executionProvider: 'cuda' })).toBe(1)
  expect(workers({ executionProvider: 'cuda', workers: '3' })).toBe(3)
})
