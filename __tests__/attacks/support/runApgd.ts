import type { ApgdSpec, ApgdTargetedSpec } from '../../../src/config/attackTypes.js'
import type { Norm } from '../../../src/config/types.js'
import { imageDigest, randomSource } from '../../../src/attacks/random.js'
import { attackFor } from '../../../src/attacks/registry.js'
import { threatModel } from '../../../src/attacks/threat.js'
import { converse, type FakeModel } from './linear.js'

export const one = { linf: 1, l2: 1, l1: 1 }
const common = { survivorsOnly: false, steps: 100, rho: 0.75, eot: 1, largerBalls: false, restarts: one } as const
export const apgd: ApgdSpec = { name: 'apgd', id: 'apgd', loss: 'cross-entropy', ...common }
export const apgdT: ApgdTargetedSpec = { name: 'apgd-t', id: 'apgd-t', targets: { linf: 9, l2: 9, l1: 5 }, ...common }

export const norms = ['linf', 'l2', 'l1'] as const

export function run(
  spec: ApgdSpec | ApgdTargetedSpec,
  model: FakeModel,
  { image, label = 0, norm, epsilon, seed = 0 }: Setting,
) {
  const threat = threatModel(Float32Array.from(image), { norm, epsilon }, [0, 1])
  const classes = model.predict(threat.image).length
  const target = { threat, label, classes, shape: [image.length], layout: 'flat' as const }
  const attack = attackFor(spec, target, randomSource(seed, imageDigest(threat.image), spec.id))
  const { result, asked } = converse(attack, model)
  const points = (kind: string) => asked.filter((question) => question.kind === kind).map(({ point }) => point)
  return { threat, result, asked, gradients: points('gradient'), predictions: points('prediction') }
}

interface Setting {
  readonly image: readonly number[]
  readonly label?: number
  readonly norm: Norm
  readonly epsilon: number
  readonly seed?: number
}

/** Never fooled; its loss and its gradient are whatever a test says of the point and of how many were asked before. */
export const scripted = (
  loss: (point: Float32Array, place: number) => { value: number; gradient: number[] },
): FakeModel => {
  let place = 0
  return {
    predict: () => Float32Array.of(1, 0),
    gradient(point) {
      const { value, gradient } = loss(point, place++)
      return { logits: Float32Array.of(1, 0), value, gradient: Float32Array.from(gradient) }
    },
  }
}
