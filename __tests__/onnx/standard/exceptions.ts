/** Why a case cannot be tried: what the error says, and what that means. Anything else fails the test. */
const SKIPPED: readonly (readonly [RegExp, string])[] = [
  [/opset before 7/, 'an opset before 7, which is refused'],
  [/is a (sequence|optional), not a tensor/, 'a sequence or an optional as input or output, which is refused'],
  [/preview\.training/, 'an optimiser of training, which onnxruntime does not know'],
  [/string_normalizer/, 'strings in a locale that this machine lacks'],
  [/Unsupported data type: 16|tensor\(bfloat16\)/, 'bfloat16, which onnxruntime-node cannot hand over'],
  [/layout_ == 0 was false/, 'a recurrent operator with the batch in front, which onnxruntime does not run'],
  [/Could not find an implementation/, 'an operator, or a type of it, for which onnxruntime has no kernel on the CPU'],
  [/InsertedPrecisionFreeCast/, "float16 attention, which onnxruntime's own inlining breaks"],
  [/Non-zero status code/, 'something that the standard allows and the kernel of onnxruntime refuses'],
]

/** What a skipped case counts as; undefined when nobody has looked at it yet. */
export function skipReason(message: string): string | undefined {
  return SKIPPED.find(([pattern]) => pattern.test(message))?.[1]
}

const UNIFORM = 'onnxruntime 1.30 has no kernel for RandomUniformLike since opset 22; a random model is no classifier'
const REGIONS = 'its regions are an input, as a detector computes them; fixed ones have autodiff/regions.test.ts'

/** Cases whose canonical form cannot give the same, by their names, and why. One that gives the same fails the test. */
export const EXCEPTIONS: Readonly<Record<string, string>> = {
  test_bernoulli: UNIFORM,
  test_bernoulli_double: UNIFORM,
  test_bernoulli_double_expanded: UNIFORM,
  test_bernoulli_expanded: UNIFORM,
  test_bernoulli_seed: UNIFORM,
  test_bernoulli_seed_expanded: UNIFORM,
  test_roialign_aligned_false: REGIONS,
  test_roialign_aligned_true: REGIONS,
}

/** Relative difference allowed, and why; everything else is equal to the bit. */
export const TOLERANCES: Readonly<Record<string, number>> = {
  // onnxruntime has another kernel for AveragePool since opset 19, which sums a window in another order: of at most 27
  // numbers, so at most 26 roundings of half a unit in the last place (6e-8) each.
  test_averagepool: 26 * 2 ** -24,
}

/** The entry whose key a case's name starts with. */
export function entryFor<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.entries(table).find(([start]) => name.startsWith(start))?.[1]
}
