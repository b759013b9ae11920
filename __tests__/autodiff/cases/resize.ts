import type { AttributeValues } from '../../../src/onnx/attributes.js'
import type { Tensor } from '../../../src/onnx/graph.js'
import { floating, single } from '../support.js'
import type { Case } from '../support.js'

const floats = (values: readonly number[]): Tensor => floating('float32', [values.length], values)

function resize(
  label: string,
  shape: readonly number[],
  to: { readonly scales: readonly number[] } | { readonly sizes: readonly number[] },
  attributes: AttributeValues,
  roi?: readonly number[],
): Case {
  const place = 'scales' in to ? ['scales'] : ['', 'sizes']
  return single('Resize', shape, {
    label,
    inputs: ['x', roi ? 'roi' : '', ...place],
    constants: {
      ...(roi && { roi: floats(roi) }),
      ...('scales' in to ? { scales: floats(to.scales) } : { sizes: to.sizes }),
    },
    attributes,
  })
}

/** Interpolated by halves and quarters: exact in float32. */
export const LINEAR: readonly Case[] = [
  single('Upsample', [2, 3, 4], { label: 'opset 7', attributes: { scales: { floats: [1, 1, 2, 3] } }, opset: 7 }),
  single('Upsample', [2, 3, 4], {
    label: 'linear, opset 9',
    constants: { scales: floating('float32', [4], [1, 1, 2, 4]) },
    attributes: { mode: 'linear' },
    opset: 9,
  }),
  resize('nearest, doubled', [2, 3, 4], { scales: [1, 1, 2, 2] }, { coordinate_transformation_mode: 'asymmetric' }),
  resize('nearest, doubled and tripled', [2, 3, 4], { scales: [1, 1, 3, 2] }, {}),
  resize('linear, doubled', [2, 3, 4], { scales: [1, 1, 2, 2] }, { mode: 'linear' }),
  resize('linear, halved', [2, 4, 8], { scales: [1, 1, 0.5, 0.5] }, { mode: 'linear' }),
]

const PLACES = ['half_pixel', 'half_pixel_symmetric', 'pytorch_half_pixel', 'asymmetric', 'align_corners']
const NEAREST = ['round_prefer_floor', 'round_prefer_ceil', 'floor', 'ceil']
const policies = ['not_larger', 'not_smaller']

/** Weights that float32 rounds: compared column by column, see columns.test.ts. */
export const ROUNDED: readonly Case[] = [
  ...PLACES.flatMap((coordinate_transformation_mode) => [
    ...NEAREST.flatMap((nearest_mode) => [
      resize(
        `nearest, ${coordinate_transformation_mode}, ${nearest_mode}, larger`,
        [1, 3, 5],
        { scales: [1, 1, 2.5, 1.7] },
        {
          coordinate_transformation_mode,
          nearest_mode,
        },
      ),
      resize(
        `nearest, ${coordinate_transformation_mode}, ${nearest_mode}, smaller`,
        [1, 6, 7],
        { sizes: [4, 3] },
        {
          axes: [-2, 3],
          coordinate_transformation_mode,
          nearest_mode,
        },
      ),
    ]),
    ...[0, 1].flatMap((antialias) => [
      resize(
        `linear, ${coordinate_transformation_mode}, antialias ${antialias}`,
        [1, 5, 7],
        { scales: [1, 1, 0.6, 2.3] },
        {
          mode: 'linear',
          antialias,
          coordinate_transformation_mode,
        },
      ),
      ...[0, 1].map((exclude_outside) =>
        resize(
          `cubic, ${coordinate_transformation_mode}, antialias ${antialias}, exclude_outside ${exclude_outside}`,
          [1, 6, 5],
          { scales: [1, 1, 0.6, 1.8] },
          { mode: 'cubic', antialias, exclude_outside, coordinate_transformation_mode },
        ),
      ),
    ]),
  ]),
  resize(
    'cubic, cubic_coeff_a',
    [1, 4, 4],
    { scales: [1, 1, 1.5, 2] },
    { mode: 'cubic', cubic_coeff_a: { float: -0.5 } },
  ),
  resize(
    'linear, antialias, exclude_outside',
    [1, 7, 6],
    { scales: [1, 1, 0.4, 0.5] },
    {
      mode: 'linear',
      antialias: 1,
      exclude_outside: 1,
    },
  ),
  resize(
    'one pixel',
    [1, 5, 4],
    { sizes: [1, 1] },
    { mode: 'linear', axes: [2, 3], coordinate_transformation_mode: 'pytorch_half_pixel' },
  ),
  resize(
    'one pixel, align_corners',
    [1, 5, 4],
    { sizes: [1, 1] },
    { mode: 'linear', axes: [2, 3], coordinate_transformation_mode: 'align_corners' },
  ),
  ...['nearest', 'linear', 'cubic'].flatMap((mode) =>
    [0, 1].flatMap((antialias) =>
      mode === 'nearest' && antialias === 1
        ? []
        : resize(
            `${mode}, antialias ${antialias}, tf_crop_and_resize`,
            [1, 5, 4],
            { sizes: [6, 7] },
            {
              mode,
              antialias,
              axes: [2, 3],
              coordinate_transformation_mode: 'tf_crop_and_resize',
              extrapolation_value: { float: 2 },
            },
            [0.2, -0.3, 0.7, 1.2],
          ),
    ),
  ),
  resize(
    'tf_crop_and_resize to one pixel',
    [1, 5, 4],
    { sizes: [1, 3] },
    {
      mode: 'linear',
      axes: [2, 3],
      coordinate_transformation_mode: 'tf_crop_and_resize',
    },
    [0.2, 0, 0.7, 0.9],
  ),
  ...policies.flatMap((keep_aspect_ratio_policy) =>
    ['nearest', 'linear'].map((mode) =>
      resize(
        `${mode}, ${keep_aspect_ratio_policy}`,
        [1, 5, 7],
        { sizes: [8, 9] },
        {
          mode,
          axes: [3, 2],
          keep_aspect_ratio_policy,
        },
      ),
    ),
  ),
  resize('nearest, one axis, channels too', [3, 5], { scales: [1, 2, 1.4] }, {}),
  resize('linear, NHWC', [4, 5, 2], { scales: [1, 1.5, 0.7, 1] }, { mode: 'linear' }),
  resize('linear, three axes', [1, 3, 4, 3], { scales: [1, 1, 1.5, 0.6, 2] }, { mode: 'linear' }),
  resize('nearest, three axes', [1, 3, 4, 3], { scales: [1, 1, 1.5, 0.6, 2] }, {}),
  resize('nothing to do', [1, 3, 4], { scales: [1, 1, 1.1, 1.1] }, {}),
  resize(
    'tf_half_pixel_for_nn',
    [1, 3, 4],
    { scales: [1, 1, 1.5, 0.8] },
    { coordinate_transformation_mode: 'tf_half_pixel_for_nn' },
  ),
]
