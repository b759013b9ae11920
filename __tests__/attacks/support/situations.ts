import fc from 'fast-check'
import { requireDefinedNorms } from '../../../src/config/attackNorms.js'
import { published } from '../../../src/config/attackSchemas.js'
import type { AttackName, AttackSpec } from '../../../src/config/attackTypes.js'
import type { Layout, Norm } from '../../../src/config/types.js'
import { predictedClass } from '../../../src/attacks/losses.js'
import type { FakeModel } from './linear.js'
import { denseNetwork, type Layer } from './network.js'

/** Every attack there is, short. */
export const attacks: Readonly<Record<AttackName, AttackSpec>> = {
  fgsm: published('fgsm'),
  pgd: published('pgd', { steps: 4, restarts: 2 }),
  bim: published('bim', { steps: 4 }),
  'mi-fgsm': published('mi-fgsm', { steps: 4 }),
  apgd: published('apgd', { steps: 10, restarts: { linf: 2, l2: 2, l1: 2 } }),
  'apgd-t': published('apgd-t', { steps: 8, targets: { linf: 2, l2: 2, l1: 2 }, largerBalls: true }),
  fab: published('fab', { steps: 6, restarts: 2 }),
  'fab-t': published('fab-t', { steps: 6, restarts: 2, targets: 2 }),
  square: published('square', { queries: 30, restarts: 2 }),
  deepfool: published('deepfool', { steps: 6 }),
  cw: published('cw', { steps: 12, binarySearchSteps: 3 }),
  ddn: published('ddn', { steps: 12 }),
  noise: published('noise', { points: 20 }),
}

export const norms = ['linf', 'l2', 'l1'] as const
export function isDefined(spec: AttackSpec, norm: Norm): boolean {
  try {
    requireDefinedNorms({ name: 'one', version: 1, attacks: [spec] }, [{ id: norm, norm, epsilon: 1 }])
    return true
  } catch {
    return false
  }
}

export interface Situation {
  readonly model: FakeModel
  readonly image: Float32Array
  /** Of the image, in `layout`. */
  readonly shape: readonly number[]
  readonly layout: Layout
  readonly label: number
  readonly epsilon: number
  readonly bounds: readonly [number, number]
  readonly quantised: boolean
}

const number = fc.double({ min: -3, max: 3, noNaN: true })
const layer = (inputs: number, outputs: number): fc.Arbitrary<Layer> =>
  fc.record({
    weights: fc.array(fc.array(number, { minLength: inputs, maxLength: inputs }), {
      minLength: outputs,
      maxLength: outputs,
    }),
    bias: fc.array(number, { minLength: outputs, maxLength: outputs }),
  })

const up = (most: number) => fc.integer({ min: 1, max: most })

/** Flat data, a signal of several channels whose order is all that is known, and pictures either way round. */
const form: fc.Arbitrary<Pick<Situation, 'shape' | 'layout'>> = fc.oneof(
  fc.record({ shape: fc.tuple(up(9)), layout: fc.constant('flat' as const) }),
  fc.record({ shape: fc.tuple(up(2), up(6)), layout: fc.constant('flat' as const) }),
  fc.record({ shape: fc.tuple(up(3), up(5), up(4)), layout: fc.constant('nchw' as const) }),
  fc.record({ shape: fc.tuple(up(5), up(4), up(3)), layout: fc.constant('nhwc' as const) }),
)

/** A linear or two-layer model of 2 to 6 classes, and an image that it is right on, of bytes if only those count. */
export const situation: fc.Arbitrary<Situation> = fc
  .record({
    form,
    classes: fc.integer({ min: 2, max: 6 }),
    hidden: fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
    bounds: fc.constantFrom([0, 1] as const, [0, 255] as const, [-1, 1] as const),
    share: fc.oneof(fc.constantFrom(1e-9, 0.1), fc.double({ min: 0.01, max: 2, noNaN: true })),
    quantised: fc.boolean(),
  })
  .chain(({ form: { shape, layout }, classes, hidden, bounds, share, quantised }) => {
    const pixels = shape.reduce((product: number, length) => product * length, 1)
    return fc
      .record({
        layers:
          hidden === undefined
            ? fc.tuple(layer(pixels, classes))
            : fc.tuple(layer(pixels, hidden), layer(hidden, classes)),
        levels: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: pixels, maxLength: pixels }),
      })
      .map(({ layers, levels }) => {
        const model = denseNetwork(layers)
        const width = bounds[1] - bounds[0]
        const image = Float32Array.from(levels, (level) => bounds[0] + (width * level) / 255)
        const label = predictedClass(model.predict(image))
        return { model, image, shape, layout, label, epsilon: share * width, bounds, quantised }
      })
  })

/** The definition, written out without the code under test. */
export function distance(norm: Norm, image: Float32Array, point: Float32Array): number {
  const changes = Array.from(point, (value, i) => Math.abs(value - image[i]))
  if (norm === 'linf') return Math.max(...changes)
  return norm === 'l1' ? changes.reduce((a, b) => a + b, 0) : Math.sqrt(changes.reduce((a, b) => a + b * b, 0))
}
