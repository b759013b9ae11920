import type { Layout, Preprocessing } from '../config/types.js'
import { UsageError } from '../errors.js'
import { GraphBuilder, floats } from './builder.js'
import { CANONICAL_OPSET } from './graph.js'
import type { ElementType, Graph, ValueInfo } from './graph.js'

/** What the dataset gives: float32 [N, ...shape]. */
export interface ImageFormat {
  readonly shape: readonly number[]
  readonly layout: Layout
}

const TYPE_CODES: Partial<Readonly<Record<ElementType, number>>> = { float32: 1, float16: 10, float64: 11 }

/**
 * The nodes between a dataset's pixels and a model's input: normalisation, channel order, layout, shape, type. They are
 * part of the graph that is differentiated, so that ε stays in pixels.
 *
 * @returns a graph from `image` float32 [batch, ...shape] to `output`, what the model's `input` takes; without nodes when
 *   nothing is to be done.
 * @throws UsageError when the declared preprocessing does not lead from the data's shape to the model's.
 */
export function preprocessingGraph(input: ValueInfo, image: ImageFormat, declared: Preprocessing): Graph {
  const empty: Graph = {
    name: 'preprocessing',
    opsets: new Map([['', CANONICAL_OPSET]]),
    irVersion: 10,
    inputs: [{ name: 'image', type: 'float32', dims: ['batch', ...image.shape] }],
    outputs: [],
    nodes: [],
    constants: new Map(),
  }
  const b = new GraphBuilder(empty, 'preprocessing')
  const normalised = normalise(b, 'image', image, declared)
  const ordered = declared.channelOrder === 'bgr' ? reverseChannels(b, normalised, image) : normalised
  const arranged = rearrange(b, ordered, image, declared.layout ?? image.layout)
  const shaped = fit(b, arranged, input)
  const type = TYPE_CODES[input.type ?? 'float32'] ?? 1
  const output = type === 1 ? shaped : b.add('Cast', [shaped], { to: type })
  if (b.nodes.length === 0) return { ...empty, outputs: [{ name: 'image' }] }
  b.addNamed('output', 'Identity', [output])
  return b.build(empty, { outputs: [{ name: 'output' }] })
}

/** (x − mean) / std, per channel or one for all, in the order of the dataset's channels. */
function normalise(b: GraphBuilder, value: string, image: ImageFormat, { mean, std }: Preprocessing): string {
  const centred = mean.every((m) => m === 0) ? value : b.add('Sub', [value, perChannel(b, mean, 'mean', image)])
  return std.every((s) => s === 1) ? centred : b.add('Div', [centred, perChannel(b, std, 'std', image)])
}

function perChannel(b: GraphBuilder, values: readonly number[], what: string, { shape, layout }: ImageFormat): string {
  if (values.length === 1) return b.scalar(values[0])
  const axis = channelAxis({ shape, layout })
  const channels = axis === undefined ? 1 : shape[axis]
  if (axis === undefined || values.length !== channels)
    throw new UsageError(
      `${what} has ${values.length} values but the images of shape [${shape.join(', ')}] have ${channels} channel${channels === 1 ? '' : 's'}; give one value, or one for each channel`,
    )
  const dims = [1, ...shape.map((_, at) => (at === axis ? channels : 1))]
  return b.constant('float32', dims, floats('float32', values))
}

/** Among the axes of one image. */
function channelAxis({ shape, layout }: ImageFormat): number | undefined {
  if (layout === 'flat' || shape.length < 2) return undefined
  return layout === 'nchw' ? 0 : shape.length - 1
}

function reverseChannels(b: GraphBuilder, value: string, image: ImageFormat): string {
  const axis = channelAxis(image)
  if (axis === undefined || image.shape[axis] !== 3)
    throw new UsageError(
      `channel order bgr needs images with 3 channels, these are [${image.shape.join(', ')}]; leave the channel order out`,
    )
  return b.add('Gather', [value, b.ints([2, 1, 0])], { axis: axis + 1 })
}

interface Arranged {
  readonly value: string
  readonly shape: readonly number[]
}

function rearrange(b: GraphBuilder, value: string, { shape, layout }: ImageFormat, wanted: Layout): Arranged {
  const last = shape.length
  if (wanted === 'nhwc' && layout === 'nchw') {
    const perm = [0, ...shape.slice(1).map((_, at) => at + 2), 1]
    return { value: b.add('Transpose', [value], { perm }), shape: [...shape.slice(1), shape[0]] }
  }
  if (wanted === 'nchw' && layout === 'nhwc') {
    const perm = [0, last, ...shape.slice(0, -1).map((_, at) => at + 1)]
    return { value: b.add('Transpose', [value], { perm }), shape: [shape[last - 1], ...shape.slice(0, -1)] }
  }
  return { value, shape }
}

/** A reshape is right only between a flat form and another: it must never swap axes. */
function fit(b: GraphBuilder, { value, shape }: Arranged, input: ValueInfo): string {
  const dims = input.dims?.slice(1)
  if (dims === undefined) return value
  const known = dims.every((size) => typeof size === 'number')
  const agrees =
    dims.length === shape.length && dims.every((size, axis) => typeof size !== 'number' || size === shape[axis])
  if (agrees) return value
  const wanted = known ? (dims as readonly number[]) : []
  const count = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1)
  const withoutOnes = (sizes: readonly number[]): string => sizes.filter((size) => size !== 1).join()
  const isFlat = wanted.length === 1 || shape.length === 1
  const sameAxes = withoutOnes(wanted) === withoutOnes(shape) && wanted.length !== shape.length
  if (known && count(wanted) === count(shape) && (isFlat || sameAxes))
    return b.add('Reshape', [value, b.ints([-1, ...wanted])])
  throw new UsageError(
    `the input "${input.name}" takes images of shape [${dims.join(', ')}] but the data's are [${shape.join(', ')}]; ${adviceFor(wanted, shape)}`,
  )
}

function adviceFor(wanted: readonly number[], shape: readonly number[]): string {
  const sorted = (sizes: readonly number[]): string => sizes.toSorted((a, b) => a - b).join()
  if (wanted.length === 3 && sorted(wanted) === sorted(shape))
    return `declare the layout of the model's input (--input-layout ${wanted[2] < wanted[0] ? 'nhwc' : 'nchw'})`
  return 'resize or crop the images, or check that model and data belong together'
}
