import { makeNode } from '../../../src/onnx/attributes.js'
import { composed, integers, single, smallIntegers } from '../support.js'
import type { Case } from '../support.js'

const angles = (...dims: readonly number[]) => ({
  c: smallIntegers('float32', dims, 3),
  s: smallIntegers('float32', dims, 5),
})
const positions = integers([0, 3, 1, 2, 5, 4], [2, 3])

function ofOnnxruntime(
  label: string,
  shape: readonly number[],
  at: ReturnType<typeof integers>,
  half: number,
  attributes: Parameters<typeof makeNode>[3],
  batch?: number,
): Case {
  const node = makeNode('RotaryEmbedding', ['x', 'p', 'c', 's'], ['y'], attributes, 'tested', 'com.microsoft')
  return {
    ...composed(`RotaryEmbedding of onnxruntime, ${label}`, shape, [node], { ...angles(9, half), p: at }),
    batch,
  }
}

/** The angles are constants, so it is linear. */
export const LINEAR: readonly Case[] = [
  single('RotaryEmbedding', [2, 3, 8], { label: 'by heads, batch fixed at 2', batch: 2, constants: angles(2, 3, 4) }),
  ...[1, 3].map((batch) =>
    single('RotaryEmbedding', [2, 3, 8], {
      label: `by heads, batch fixed at ${batch}`,
      batch,
      constants: angles(batch, 3, 4),
    }),
  ),
  single('RotaryEmbedding', [3, 16], {
    label: 'by rows, batch fixed at 2',
    batch: 2,
    constants: angles(2, 3, 4),
    attributes: { num_heads: 2 },
  }),
  single('RotaryEmbedding', [2, 3, 8], {
    label: 'interleaved, part of the depth',
    batch: 2,
    constants: angles(2, 3, 2),
    attributes: { interleaved: 1, rotary_embedding_dim: 4 },
  }),
  single('RotaryEmbedding', [3, 16], {
    label: 'by rows, interleaved, positions',
    batch: 2,
    constants: { ...angles(9, 4), p: positions },
    attributes: { interleaved: 1, num_heads: 2 },
  }),
  single('RotaryEmbedding', [2, 3, 8], {
    label: 'part of the depth, positions',
    batch: 2,
    constants: { ...angles(9, 3), p: positions },
    attributes: { rotary_embedding_dim: 6 },
  }),
  ofOnnxruntime('from one position on', [3, 16], integers([2]), 4, { num_heads: 2 }),
  ofOnnxruntime('a scale, which it leaves aside', [3, 16], integers([2]), 4, { num_heads: 2, scale: { float: 2 } }),
  ofOnnxruntime('heads left out', [3, 16], integers([2]), 4, {}),
  ofOnnxruntime('by heads, interleaved', [2, 3, 8], integers([1]), 4, { interleaved: 1 }),
  ofOnnxruntime('part of the depth', [2, 3, 8], integers([1]), 2, { rotary_embedding_dim: 4, num_heads: 2 }),
  ofOnnxruntime('positions, batch fixed at 2', [3, 16], positions, 4, { num_heads: 2 }, 2),
]
