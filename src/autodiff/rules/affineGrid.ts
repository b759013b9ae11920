import { intAttribute } from '../../onnx/attributes.js'
import { rule } from '../rule.js'
import type { Rule } from '../rule.js'

/** grid = pixel centres · thetaᵀ, with a 1 behind each centre. */
export const affineGrid: Readonly<Record<string, Rule>> = {
  AffineGrid: rule((node, gradient, b) => {
    const [theta] = node.inputs
    const { dims, batchAxis } = b.observed(node.outputs[0])
    const sizes = dims.slice(1, -1)
    const aligned = intAttribute(node, 'align_corners', 0) === 1
    // A single pixel is at −1 or 1 at once; onnxruntime takes 1.
    const place = (at: number, size: number): number =>
      aligned ? (size === 1 ? 1 : (2 * at) / (size - 1) - 1) : (2 * at + 1) / size - 1
    const axes = sizes.map((size) => Array.from({ length: size }, (_, at) => place(at, size)))
    const centres = axes
      .reduce<readonly (readonly number[])[]>(
        (outer, axis) => outer.flatMap((place) => axis.map((at) => [at, ...place])),
        [[]],
      )
      .map((place) => [...place, 1])
    const flat = b.reshape(gradient, [batchAxis === undefined ? dims[0] : -1, centres.length, sizes.length])
    const turned = b.add('Transpose', [flat], { perm: [0, 2, 1] })
    return [b.add('MatMul', [turned, b.tensor(centres.flat(), [centres.length, sizes.length + 1], theta)])]
  }),
}
