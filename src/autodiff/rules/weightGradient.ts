import type { Window } from '../adjoint.js'
import type { GradientBuilder } from '../gradientBuilder.js'

/**
 * d loss / d weights of a convolution whose weights are computed from the image: every tap saw the image moved by its own
 * place, so its gradient is the image correlated with the outputs' gradients. A Conv again: images are its channels, strides
 * and dilations change places.
 *
 * @param image [N, C, …]
 * @param slopes d loss / d output [N, M, …]; of a ConvTranspose image and slopes change places, too.
 * @returns in the shape of `like`, [M, C / group, …kernel].
 */
export function weightGradient(
  b: GradientBuilder,
  image: { readonly value: string; readonly dims: readonly number[]; readonly isFree: boolean },
  slopes: string,
  group: number,
  { kernel, strides, dilations, begin, end }: Pick<Window, 'kernel' | 'strides' | 'dilations' | 'begin' | 'end'>,
): string {
  const [rows, channels, ...sizes] = image.dims
  const axes = sizes.map((_, axis) => axis)
  const apart = b.reshape(image.value, [image.isFree ? -1 : rows, group, channels / group, ...sizes])
  const turned = b.add('Transpose', [apart], { perm: [2, 1, 0, ...axes.map((axis) => axis + 3)] })
  const data = b.reshape(turned, [channels / group, -1, ...sizes])
  const swap = [1, 0, ...axes.map((axis) => axis + 2)]
  const correlated = b.add('Conv', [data, b.add('Transpose', [slopes], { perm: swap })], {
    group,
    strides: dilations,
    dilations: strides,
    pads: [...begin, ...end],
  })
  // Places beyond the kernel that a stride left over.
  const taps = b.add('Slice', [
    correlated,
    b.ints(axes.map(() => 0)),
    b.ints(kernel),
    b.ints(axes.map((axis) => axis + 2)),
  ])
  return b.add('Transpose', [taps], { perm: swap })
}

/** d loss / d bias: Σ over images and pixels. */
export function biasGradient(b: GradientBuilder, gradient: string, output: string): string {
  const axes = Array.from({ length: b.rank(output) }, (_, axis) => axis).filter((axis) => axis !== 1)
  return b.sum(gradient, axes, false)
}
