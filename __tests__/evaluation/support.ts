import { fileURLToPath } from 'node:url'
import type { AttackSpec } from '../../src/config/attackTypes.js'
import type { Suite, ThreatSpec } from '../../src/config/types.js'
import type { Dataset } from '../../src/data/types.js'
import type { Reply, Request } from '../../src/engine/messages.js'
import { ReplySchema } from '../../src/engine/messages.js'
import type { WorkerChild } from '../../src/evaluation/children.js'
import type { EvaluationEffects, EvaluationRequest } from '../../src/evaluation/evaluate.js'
import type { ChildLimits } from '../../src/sandbox/child.js'
import { startChild } from '../../src/sandbox/child.js'

export const fakeWorker = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url))

/** Real child processes, and a list of them all to see what became of each. */
export function realChildren(entry: string = fakeWorker) {
  const children: WorkerChild[] = []
  return {
    children,
    startChild: (limits: ChildLimits) => {
      const child = startChild<Request, Reply>({ entry, schema: ReplySchema, ...limits })
      children.push(child)
      return child
    },
  }
}

export function effectsOf(startWith: EvaluationEffects['startChild'], rest: Partial<EvaluationEffects> = {}) {
  return { startChild: startWith, cores: 2, cpu: 'test', now: () => 0, ...rest } satisfies EvaluationEffects
}

const common = { survivorsOnly: false, loss: 'cross-entropy' } as const
export const attacks: readonly AttackSpec[] = [
  { ...common, name: 'fgsm', id: 'fgsm' },
  { ...common, name: 'pgd', id: 'pgd', steps: 2, relativeStepSize: 0.5, randomStart: false, restarts: 1 },
  {
    ...common,
    name: 'pgd',
    id: 'pgd-margin',
    survivorsOnly: true,
    loss: 'margin',
    steps: 2,
    relativeStepSize: 0.5,
    randomStart: false,
    restarts: 1,
  },
]
export const suite: Suite = { name: 'test', version: 1, attacks }
export const threats: readonly ThreatSpec[] = [
  { id: 'linf-0.1', norm: 'linf', epsilon: 0.1 },
  { id: 'l2-0.5', norm: 'l2', epsilon: 0.5 },
]

/** Two pixels an image; the first grows evenly, (index + ½) / samples, the labels go round three classes. */
export function ramp(samples: number): Dataset {
  return {
    name: 'ramp',
    sha256: '00'.repeat(32),
    samples,
    shape: [2],
    layout: 'flat',
    range: [0, 1],
    pixels: Float32Array.from({ length: 2 * samples }, (_, place) => (place % 2 === 0 ? (place + 1) / 2 / samples : 1)),
    labels: Int32Array.from({ length: samples }, (_, index) => index % 3),
    classNames: ['a', 'b', 'c'],
  }
}

export function requestOf(samples: number, behaviour: object = {}, rest: Partial<EvaluationRequest> = {}) {
  return {
    model: { name: 'model.onnx', bytes: new TextEncoder().encode(JSON.stringify(behaviour)), external: {} },
    dataset: ramp(samples),
    preprocessing: { mean: [0], std: [1], channelOrder: 'rgb' },
    threats,
    suite,
    seed: 0,
    limits: { seconds: 60, batch: 16 },
    toolVersion: '0',
    ...rest,
  } satisfies EvaluationRequest
}
