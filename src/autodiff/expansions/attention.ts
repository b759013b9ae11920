import { floatAttribute, intAttribute } from '../../onnx/attributes.js'
import type { Expansion } from '../expansion.js'
import { byHeads, sized } from './heads.js'
import { causal, causalWithin, mergeHeads, scaledDotProduct, withinLength } from './scaledDotProduct.js'

/** Attention as the standard has it since opset 23, [N, rows, heads · depth] or [N, heads, rows, depth]. */
export const attention: Readonly<Record<string, Expansion>> = {
  Attention: (node, b) => {
    const [query, key, value, mask, pastKey, pastValue, lengths] = node.inputs
    const seen = (name: string) => ({ name, dims: b.dims(name) })
    const { heads, presentKey, presentValue } = byHeads(
      {
        query: seen(query),
        key: seen(key),
        value: seen(value),
        pastKey: sized(pastKey, b),
        pastValue: sized(pastValue, b),
      },
      {
        heads: intAttribute(node, 'q_num_heads', 1),
        keyHeads: intAttribute(node, 'kv_num_heads', 1),
        scale: floatAttribute(node, 'scale'),
        like: query,
      },
      b,
    )
    const past = pastKey ? b.dims(pastKey)[2] : 0
    // Of a single row behind a past onnxruntime hides nothing, however many keys come with it.
    const isCausal = intAttribute(node, 'is_causal', 0) === 1 && !(pastKey && heads.rows === 1)
    const isTruth = mask ? b.observed(mask).type === 'bool' : false
    const { output, ...stages } = scaledDotProduct(
      heads,
      {
        softcap: floatAttribute(node, 'softcap', 0),
        added: mask && !isTruth ? [mask] : [],
        allowed: [
          ...(mask && isTruth ? [mask] : []),
          ...(isCausal && !lengths ? [causal(heads.rows, heads.columns, past, b)] : []),
          ...(isCausal && lengths ? [causalWithin(lengths, heads.rows, heads.columns, b)] : []),
          ...(lengths ? [withinLength(lengths, heads.columns, b)] : []),
        ],
        emptyRowsAreZero: Boolean(mask || lengths),
      },
      query,
      b,
    )
    const scores = [stages.scores, stages.capped, stages.masked, stages.probabilities]
    return [
      b.rank(query) === 3 ? mergeHeads(output, heads, b) : output,
      node.outputs[1] ? presentKey() : '',
      presentValue,
      scores[intAttribute(node, 'qk_matmul_output_mode', 0)],
    ]
  },
}
