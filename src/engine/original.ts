import { Tensor, type InferenceSession } from 'onnxruntime-node'
import { predictedClass } from '../attacks/losses.js'
import type { PredictionAnswer, PredictionQuestion } from '../attacks/protocol.js'
import { labelWatch } from '../autodiff/labelWatch.js'
import type { ReadOutput } from '../autodiff/surrogate.js'
import { elementCount } from '../onnx/tensor.js'
import { fillRows } from './batch.js'
import { classScores, logitsOf } from './outputs.js'
import type { Oracle } from './scheduler.js'
import { fed, fromOnnx } from './session.js'

/** The unmodified model and what stands in front of it. */
export interface Original {
  readonly session: InferenceSession
  /** Turns `image`, float32 [N, ...shape] of the dataset, into `output`, the model's own input. */
  readonly preprocessing?: InferenceSession
  readonly input: string
  readonly output: ReadOutput
  readonly classes: number
  /** Images in one call: the batch the model was exported with, or the one padded size where it is free. */
  readonly batch: number
  /** Of one image. */
  readonly shape: readonly number[]
}

/** Asks the original: the only one whose word on an image counts. */
export function originalOracle(original: Original): Oracle<PredictionQuestion, PredictionAnswer> {
  const { session, preprocessing, input, output, classes, batch, shape } = original
  const { label } = output
  const watch = label === undefined ? undefined : labelWatch(label, output.name)
  const outputs = label === undefined ? [output.name] : [output.name, label]
  const width = elementCount(shape)
  const pixels = new Float32Array(batch * width)
  const image = new Tensor('float32', pixels, [batch, ...shape])

  return {
    batch,
    async answer(questions) {
      fillRows(pixels, width, questions.length, (i) => questions[i].point)
      const prepared = preprocessing ? fed((await preprocessing.run({ image })).output) : image
      const answer = await session.run({ [input]: prepared }, outputs)
      const { [output.name]: result } = answer
      const scores = classScores(fromOnnx(result), output.kind)
      if (scores.length !== batch * classes)
        throw new Error(`The model gave [${result.dims.join(', ')}] for ${batch} images of ${classes} classes.`)
      if (label !== undefined) watch?.(fromOnnx(answer[label]), scores)
      return questions.map((_, i) => {
        const row = scores.subarray(i * classes, (i + 1) * classes)
        return {
          kind: 'prediction',
          predicted: predictedClass(row),
          logits: logitsOf(row, output.kind),
        }
      })
    },
  }
}
