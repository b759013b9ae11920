import { makeNode } from '../../src/onnx/attributes.js'
import { decodeModel, encodeModel } from '../../src/onnx/codec.js'
import { withPrefix } from '../../src/onnx/edit.js'
import type { Node, Tensor } from '../../src/onnx/graph.js'
import { renameReads } from '../../src/onnx/subgraphs.js'

/** Nodes in front of a model (from `image` to `fed`) or behind it (from `said` to `logits`). */
interface Plant {
  readonly before?: readonly Node[]
  readonly after?: readonly Node[]
  readonly constants?: Readonly<Record<string, Tensor>>
}

/** The same model with a fault in it. */
export function plant(bytes: Uint8Array, { before = [], after = [], constants = {} }: Plant): Uint8Array {
  const graph = withPrefix(decodeModel(bytes))
  const [input] = graph.inputs
  const [output] = graph.outputs
  const fed = before.length > 0 ? 'fed' : 'image'
  const said = after.length > 0 ? 'said' : 'logits'
  const nodes = graph.nodes.map((node) => ({
    ...renameReads(node, (name) => (name === input.name ? fed : name)),
    outputs: node.outputs.map((name) => (name === output.name ? said : name)),
  }))
  return encodeModel({
    ...graph,
    opsets: new Map([...graph.opsets, ['ai.onnx.ml', 1]]),
    inputs: [{ ...input, name: 'image' }],
    outputs: [{ ...output, name: 'logits' }],
    nodes: [...before, ...nodes, ...after],
    constants: new Map([...graph.constants, ...Object.entries(constants)]),
  })
}

const number = (value: number): Tensor => ({ type: 'float32', dims: [], data: Float32Array.of(value) })
const uniform = { low: { float: -0.1 }, high: { float: 0.1 } }

/** x + height · sin(2π · 255 x): pixels of 8 bits stay what they are, and between them the slope changes its sign. */
const ripples = (height: number) => ({
  before: [
    makeNode('Mul', ['image', 'circle'], ['angle']),
    makeNode('Sin', ['angle'], ['wave']),
    makeNode('Mul', ['wave', 'height'], ['ripple']),
    makeNode('Add', ['image', 'ripple'], ['fed']),
  ],
  constants: { circle: number(2 * Math.PI * 255), height: number(height) },
})

/** Every fault of a model that has a flag; for models of ten classes and opset 13. */
export const FAULTS = {
  /** Binarises the image so steeply that the slope is 0 nearly everywhere: σ(1000 (x − ½)). */
  'steep sigmoid': {
    before: [
      makeNode('Sub', ['image', 'half'], ['centred']),
      makeNode('Mul', ['centred', 'steepness'], ['scaled']),
      makeNode('Sigmoid', ['scaled'], ['fed']),
    ],
    constants: { half: number(0.5), steepness: number(1000) },
  },
  /** One class 10, the others 0, to float32's last bit: no slope reaches the logits. */
  saturation: {
    after: [
      makeNode('Mul', ['said', 'steepness'], ['scaled']),
      makeNode('Softmax', ['scaled'], ['certain'], { axis: 1 }),
      makeNode('MatMul', ['certain', 'tenfold'], ['logits']),
    ],
    constants: {
      steepness: number(1000),
      tenfold: {
        type: 'float32',
        dims: [10, 10],
        data: Float32Array.from({ length: 100 }, (_, at) => (at % 11 === 0 ? 10 : 0)),
      },
    },
  },
  rounding: {
    before: [
      makeNode('Mul', ['image', 'levels'], ['scaled']),
      makeNode('Round', ['scaled'], ['rounded']),
      makeNode('Div', ['rounded', 'levels'], ['fed']),
    ],
    constants: { levels: number(64) },
  },
  'normal noise': {
    before: [
      makeNode('RandomNormalLike', ['image'], ['noise'], { scale: { float: 0.1 } }),
      makeNode('Add', ['image', 'noise'], ['fed']),
    ],
  },
  /** The steep sigmoid behind noise that changes no answer. */
  'steep sigmoid behind a breath of noise': {
    before: [
      makeNode('RandomNormalLike', ['image'], ['noise'], { scale: { float: 1e-7 } }),
      makeNode('Add', ['image', 'noise'], ['noisy']),
      makeNode('Sub', ['noisy', 'half'], ['centred']),
      makeNode('Mul', ['centred', 'steepness'], ['scaled']),
      makeNode('Sigmoid', ['scaled'], ['fed']),
    ],
    constants: { half: number(0.5), steepness: number(1000) },
  },
  'uniform noise': {
    before: [
      makeNode('RandomUniformLike', ['image'], ['noise'], uniform),
      makeNode('Add', ['image', 'noise'], ['fed']),
    ],
  },
  'Dropout that trains': {
    before: [makeNode('Dropout', ['image', 'ratio', 'training'], ['fed'])],
    constants: { ratio: number(0.2), training: { type: 'bool', dims: [], data: Uint8Array.of(1) } },
  },
  'Softmax twice': {
    after: [
      makeNode('Softmax', ['said'], ['once'], { axis: 1 }),
      makeNode('Softmax', ['once'], ['logits'], { axis: 1 }),
    ],
  },
  /** A tenth of the batch's mean is added: of one image alone that changes no prediction. */
  'a batch that mixes': {
    after: [
      makeNode('ReduceMean', ['said'], ['mean'], { axes: [0], keepdims: 1 }),
      makeNode('Mul', ['mean', 'tenth'], ['share']),
      makeNode('Add', ['said', 'share'], ['logits']),
    ],
    constants: { tenth: number(0.1) },
  },
  /**
   * The same, but only of a batch a tenth of whose pixels are black, as more of Fashion-MNIST's are: what a model is tried on
   * when it is loaded is not, so it shows only where an image is asked about again.
   */
  'a batch that mixes what is dark': {
    before: [makeNode('Identity', ['image'], ['fed'])],
    after: [
      makeNode('Equal', ['image', 'black'], ['isBlack']),
      makeNode('Cast', ['isBlack'], ['counted'], { to: 1 }),
      makeNode('ReduceMean', ['counted'], ['area'], { axes: [0, 1, 2, 3], keepdims: 0 }),
      makeNode('Greater', ['area', 'tenth'], ['isDark']),
      makeNode('Cast', ['isDark'], ['gate'], { to: 1 }),
      makeNode('ReduceMean', ['said'], ['mean'], { axes: [0], keepdims: 1 }),
      makeNode('Mul', ['mean', 'tenth'], ['tenfold']),
      makeNode('Mul', ['tenfold', 'gate'], ['share']),
      makeNode('Add', ['said', 'share'], ['logits']),
    ],
    constants: { black: number(0), tenth: number(0.1) },
  },
  /** Slopes of 1 ± 16: at the image they lead somewhere, and after a step or a random start to either side. */
  'low ripples': ripples(0.01),
  /** A quarter of a level moves a pixel by 0.05, half of one by nothing. */
  'high ripples': ripples(0.05),
  /** The root of every pixel, squared: the slope is infinite where the pixel is 0, and infinity times 0 is NaN. */
  'roots at 0': {
    before: [makeNode('Sqrt', ['image'], ['root']), makeNode('Mul', ['root', 'root'], ['fed'])],
  },
  /** The root of what is negative wherever the first pixel is black, as it is in most of these images. */
  'roots of negative numbers': {
    before: [
      makeNode('Slice', ['image', 'from', 'to', 'axes'], ['corner']),
      makeNode('Sub', ['corner', 'tiny'], ['below']),
      makeNode('Sqrt', ['below'], ['root']),
      makeNode('Mul', ['root', 'nothing'], ['none']),
      makeNode('Add', ['image', 'none'], ['fed']),
    ],
    constants: {
      from: { type: 'int64', dims: [2], data: BigInt64Array.of(0n, 0n) },
      to: { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 1n) },
      axes: { type: 'int64', dims: [2], data: BigInt64Array.of(2n, 3n) },
      tiny: number(1e-6),
      nothing: number(0),
    },
  },
  /** The first two classes alone. */
  'two classes': {
    after: [makeNode('Slice', ['said', 'from', 'to', 'axes'], ['logits'])],
    constants: {
      from: { type: 'int64', dims: [1], data: BigInt64Array.of(0n) },
      to: { type: 'int64', dims: [1], data: BigInt64Array.of(2n) },
      axes: { type: 'int64', dims: [1], data: BigInt64Array.of(1n) },
    },
  },
  'pixels of 0 … 255': {
    before: [makeNode('Div', ['image', 'white'], ['fed'])],
    constants: { white: number(255) },
  },
  /** As scikit-learn's preprocessing is exported; it does nothing here. */
  'no rule': {
    before: [
      makeNode(
        'Imputer',
        ['image'],
        ['fed'],
        { imputed_value_floats: { floats: [0] }, replaced_value_float: { float: -1 } },
        'imputed',
        'ai.onnx.ml',
      ),
    ],
  },
} as const satisfies Readonly<Record<string, Plant>>
