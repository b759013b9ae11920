import { Tensor, type InferenceSession } from 'onnxruntime-node'
import type { Loss } from '../attacks/losses.js'
import type { GradientAnswer, GradientQuestion } from '../attacks/protocol.js'
import { elementCount } from '../onnx/tensor.js'
import { fillRows } from './batch.js'
import type { Oracle } from './scheduler.js'

/** The number by which the gradient model knows a loss (its input `loss`). */
const LOSS_CODES: Readonly<Record<Loss['name'], bigint>> = {
  'cross-entropy': 0n,
  margin: 1n,
  dlr: 2n,
  'targeted-dlr': 3n,
  linear: 4n,
}

/** The gradient model, opened: inputs `image`, `label`, `loss`, `target`, `direction`; outputs `logits`, `value`, `gradient`. */
export interface GradientModel {
  readonly session: InferenceSession
  readonly classes: number
  /** Images in one call, always. */
  readonly batch: number
  /** Of one image. */
  readonly shape: readonly number[]
}

/** In the place of a gradient that cannot be made. No attack that is run asks it. */
export function noGradientOracle(batch: number): Oracle<GradientQuestion, GradientAnswer> {
  return {
    batch,
    answer: () => Promise.reject(new Error('an attack asked for a gradient of a model that has none')),
  }
}

/**
 * Asks the gradient model. The input buffers are filled anew for each batch; the answers are views of what the runtime
 * allocated for this batch's outputs, so they stay as they are for as long as an attack keeps them.
 */
export function gradientOracle(model: GradientModel): Oracle<GradientQuestion, GradientAnswer> {
  const { session, classes, batch, shape } = model
  const width = elementCount(shape)
  const pixels = new Float32Array(batch * width)
  const labels = new BigInt64Array(batch)
  const losses = new BigInt64Array(batch)
  const targets = new BigInt64Array(batch)
  const directions = new Float32Array(batch * classes)
  const feeds = {
    image: new Tensor('float32', pixels, [batch, ...shape]),
    label: new Tensor('int64', labels, [batch]),
    loss: new Tensor('int64', losses, [batch]),
    target: new Tensor('int64', targets, [batch]),
    direction: new Tensor('float32', directions, [batch, classes]),
  }

  const setLoss = (row: number, loss: Loss): void => {
    losses[row] = LOSS_CODES[loss.name]
    labels[row] = loss.name === 'linear' ? 0n : BigInt(loss.label)
    targets[row] = loss.name === 'targeted-dlr' ? BigInt(loss.target) : 0n
    if (loss.name === 'linear') directions.set(loss.direction, row * classes)
    else directions.fill(0, row * classes, (row + 1) * classes)
  }

  return {
    batch,
    async answer(questions) {
      fillRows(pixels, width, questions.length, (i) => questions[i].point)
      for (let i = 0; i < batch; i++) setLoss(i, questions[Math.min(i, questions.length - 1)].loss)
      const { logits, value, gradient } = await session.run(feeds, ['logits', 'value', 'gradient'])
      const logitData = logits.data as Float32Array
      const valueData = value.data as Float32Array
      const gradientData = gradient.data as Float32Array
      if (logitData.length !== batch * classes || gradientData.length !== pixels.length)
        throw new Error(
          `the gradient model gave [${logits.dims.join(', ')}] and [${gradient.dims.join(', ')}] for ${batch} images of ${classes} classes`,
        )
      return questions.map((_, i) => ({
        kind: 'gradient',
        logits: logitData.subarray(i * classes, (i + 1) * classes),
        value: valueData[i],
        gradient: gradientData.subarray(i * width, (i + 1) * width),
      }))
    },
  }
}
