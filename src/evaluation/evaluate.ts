import type { ExecutionProvider, Limits, Preprocessing, Suite, ThreatSpec } from '../config/types.js'
import type { Dataset } from '../data/types.js'
import type { ImageTask, LoadRequest, ModelBytes, Reply } from '../engine/messages.js'
import { UsageError } from '../errors.js'
import { attacksRun, withFallback } from '../engine/attacksRun.js'
import type { ChildEffects, WorkerChild } from './children.js'
import { answers, impossibleReply, withChildren } from './children.js'
import type { OutcomeReply, Witness } from './collector.js'
import { Collector, witnessesOf } from './collector.js'
import { imagesToDiagnose } from './diagnosed.js'
import { allFlags } from './flags.js'
import { hashModel, modelSize } from './modelFile.js'
import type { Progress } from './progress.js'
import type { Results } from './results.js'
import type { ChildLimits } from '../sandbox/child.js'
import type { Shard } from './shards.js'
import { imagesOfShard } from './shards.js'
import { summarise } from './summarise.js'

export { completeModel, gradientModel, inspectModel, loadDataset } from './ask.js'

export interface EvaluationRequest {
  readonly model: ModelBytes
  readonly dataset: Dataset
  readonly preprocessing: Preprocessing
  readonly threats: readonly ThreatSpec[]
  readonly suite: Suite
  /** Only witnesses of 8 bits count. */
  readonly quantised?: boolean
  readonly seed: number
  readonly limits: Limits
  /** Undefined: the processor. */
  readonly executionProvider?: ExecutionProvider
  readonly toolVersion: string
  /** Only this part of the images; the data are named as a whole. */
  readonly shard?: Shard
  /** Have a point that fools the model sent for every image that is broken; see `onWitness`. */
  readonly witnesses?: boolean
}

export interface EvaluationEffects extends ChildEffects {
  readonly cores: number
  /** What runs the model, for the results: see describeCpu. */
  readonly cpu: string
  /** Milliseconds since any moment. */
  readonly now: () => number
  /** After every image. */
  readonly onProgress?: (progress: Progress) => void
  /** In the order in which images are done. */
  readonly onWitness?: (witness: Witness) => void
}

type Loaded = Extract<Reply, { type: 'loaded' }>

/**
 * A child's scheduler has two batches at work; the third lies ready, so that no place of a batch stays empty while the
 * next image is on its way.
 */
const BATCHES_AHEAD = 3

/**
 * Attacks one model with one suite on one dataset, in child processes. The results are the same to the byte whatever the
 * number of workers and the order in which they answer, but for `cost.seconds`.
 *
 * @throws UsageError for what the user can mend in model, data or settings
 * @throws EvaluationError when a child dies, hangs, or says what cannot be; every other child is gone by then, too
 */
export async function evaluate(request: EvaluationRequest, effects: EvaluationEffects): Promise<Results> {
  const { model, dataset, suite, limits, seed, preprocessing, shard } = request
  const began = effects.now()
  const seconds = () => (effects.now() - began) / 1000
  const images = shard && imagesOfShard(shard, dataset.samples)
  const collector = new Collector(dataset, { images, diagnosed: imagesToDiagnose(dataset) })
  const workers = workerCount(limits, collector.total, effects.cores)

  const robust: Record<string, number> = Object.fromEntries(request.threats.map(({ id }) => [id, 0]))
  let correct = 0
  const onOutcome = (reply: OutcomeReply) => {
    if (reply.outcome.predicted === reply.outcome.label) correct++
    for (const { id } of request.threats) if (reply.outcome.threats[id].robust) robust[id]++
    for (const witness of witnessesOf(reply)) effects.onWitness?.(witness)
    const { done, total, gradients } = collector
    effects.onProgress?.({ done, total, correct, robust: { ...robust }, gradients, seconds: seconds() })
  }

  const loaded = await withChildren(workers, childLimits(request), effects, (child) =>
    work(child, request, collector, workers, onOutcome),
  )
  const { classes, batch, engine, gradient } = sameOfAll(loaded, `evaluating ${model.name}`)
  const samples = collector.outcomes()
  const { threats, classNames } = { threats: request.threats, classNames: dataset.classNames }
  const attacks = attacksRun(withFallback(suite.attacks, gradient), gradient)
  return {
    schema: 'robustness-gate/results/1',
    tool: { version: request.toolVersion, engine, cpu: effects.cpu, batch },
    model: {
      name: model.name,
      sha256: hashModel(model),
      bytes: modelSize(model),
      classes,
      ...(!gradient && { gradient }),
    },
    data: {
      name: dataset.name,
      sha256: dataset.sha256,
      samples: dataset.samples,
      ...(classNames === undefined ? {} : { classNames: [...classNames] }),
    },
    suite: suiteOf({ ...request, suite: { ...suite, attacks: withFallback(suite.attacks, gradient) } }),
    threats: withBounds(threats, dataset.range),
    seed,
    ...(shard && { shard }),
    preprocessing: { ...preprocessing },
    summary: summarise(samples, { threats, attacks, classNames }),
    samples,
    flags: [
      ...allFlags(
        loaded.flatMap((child) => child.flags),
        samples,
        attacks,
      ),
    ],
    cost: { seconds: seconds(), forwards: collector.forwards, gradients: collector.gradients },
  }
}

/** The suite as results name it. */
export function suiteOf({ suite, quantised }: Pick<EvaluationRequest, 'suite' | 'quantised'>): Results['suite'] {
  const { name, version, attacks } = suite
  // As the schema has them: what is read from a file and written again is the same file.
  const written = attacks.map(({ id, name: attack, ...settings }) => ({ id, name: attack, ...settings }))
  return { name, version, attacks: written, ...(quantised && { quantised }) }
}

/** The threats as results name them: a ball, and the bounds of a pixel. */
export function withBounds(threats: readonly ThreatSpec[], [low, high]: readonly [number, number]): Results['threats'] {
  return threats.map(({ id, norm, epsilon }) => ({ id, norm, epsilon, bounds: [low, high] }))
}

/** Keeps one child busy until no image is left for it. */
async function work(
  child: WorkerChild,
  request: EvaluationRequest,
  collector: Collector,
  workers: number,
  onOutcome: (reply: OutcomeReply) => void,
): Promise<Loaded> {
  const doing = `evaluating ${request.model.name}`
  const waiting = new Set<number>()
  let loaded: Loaded | undefined
  child.send(loadRequest(request))
  for await (const reply of answers(child, doing)) {
    if (loaded === undefined) {
      if (reply.type !== 'loaded') throw impossibleReply(`${reply.type} before the model was loaded`, doing)
      loaded = reply
      checkLabels(request, loaded.classes)
    } else {
      if (reply.type !== 'outcome') throw impossibleReply(`${reply.type} instead of an outcome`, doing)
      const { classes, gradient } = loaded
      const attacks = attacksRun(withFallback(request.suite.attacks, gradient), gradient)
      const problem = collector.accept(reply, waiting, { classes, threats: request.threats, attacks })
      if (problem !== undefined) throw impossibleReply(problem, doing)
      onOutcome(reply)
    }
    // Never more than an equal share of what is left: else one child has a long queue while another one has nothing.
    const share = Math.ceil((collector.total - collector.done) / workers)
    const images = collector.take(Math.min(BATCHES_AHEAD * loaded.batch, share) - waiting.size)
    for (const { index } of images) waiting.add(index)
    for (const piece of inPieces(images)) child.send({ type: 'evaluate', images: piece })
    if (waiting.size === 0) break
  }
  if (loaded === undefined) throw impossibleReply('nothing', doing)
  child.kill()
  return loaded
}

/** What a child that runs a model may use. */
export function childLimits({
  limits,
  executionProvider,
}: Pick<EvaluationRequest, 'limits' | 'executionProvider'>): ChildLimits {
  return { timeLimitSeconds: limits.seconds, ...(executionProvider === 'cuda' && { cuda: true }) }
}

/** Messages of a megabyte: Node reads a hundred of them four times as fast as one of a hundred megabytes. */
export function inPieces(images: readonly ImageTask[]): ImageTask[][] {
  const bytes = images[0]?.pixels.byteLength ?? 1
  const size = Math.max(1, Math.floor(2 ** 20 / bytes))
  const starts = Array.from({ length: Math.ceil(images.length / size) }, (_, piece) => piece * size)
  return starts.map((start) => images.slice(start, start + size))
}

export function loadRequest({ model, dataset, ...request }: EvaluationRequest): LoadRequest {
  return {
    type: 'load',
    model: { name: model.name, bytes: model.bytes, external: model.external },
    preprocessing: request.preprocessing,
    shape: dataset.shape,
    layout: dataset.layout,
    range: dataset.range,
    threats: request.threats,
    attacks: request.suite.attacks,
    seed: request.seed,
    quantised: request.quantised ?? false,
    batch: request.limits.batch,
    executionProvider: request.executionProvider,
    witnesses: request.witnesses ?? false,
  }
}

/** What a batch is padded to at least. */
const LEAST_BATCH = 16

/**
 * One for each core. Less than the least batch is not worth a process; more is, even where it does not fill the batch that
 * was asked for: a model may keep its own, and a core that idles does less than one with half a batch.
 */
export function workerCount({ workers }: Limits, samples: number, cores: number): number {
  return Math.max(1, Math.min(workers ?? cores, Math.ceil(samples / LEAST_BATCH)))
}

export function checkLabels({ dataset, model }: EvaluationRequest, classes: number): void {
  const image = dataset.labels.findIndex((label) => label >= classes)
  if (image >= 0)
    throw new UsageError(
      `${dataset.name}: image ${image} has label ${dataset.labels[image]}, but ${model.name} has ${classes} classes (0 to ${classes - 1}); use data whose labels are the model's classes`,
    )
}

/** All children load the same bytes in the same way: one that says otherwise is broken. */
function sameOfAll(loaded: readonly Loaded[], doing: string): Loaded {
  const [first, ...others] = loaded
  const other = others.find(
    ({ classes, batch, engine, gradient }) =>
      classes !== first.classes || batch !== first.batch || engine !== first.engine || gradient !== first.gradient,
  )
  if (other !== undefined) throw impossibleReply('two children loaded the same model differently', doing)
  return first
}
