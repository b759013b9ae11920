import type { Reply, Request } from '../engine/messages.js'
import { EvaluationError, UsageError } from '../errors.js'
import type { Child, ChildLimits } from '../sandbox/child.js'
import { describeExit } from '../sandbox/exit.js'
import { oneLine } from '../text.js'

export type WorkerChild = Child<Request, Reply>
export type Answer = Exclude<Reply, { type: 'failed' }>

/** What is needed to ask children anything. */
export interface ChildEffects {
  readonly startChild: (limits: ChildLimits) => WorkerChild | Promise<WorkerChild>
  /** Ends everything: the children are killed and the promise rejects. */
  readonly signal?: AbortSignal
}

/**
 * Starts children, talks with each, and buries them all, whatever happens to one. The first failure is the one that is
 * thrown; the rest die of its consequences.
 */
export async function withChildren<T>(
  count: number,
  limits: ChildLimits,
  effects: ChildEffects,
  talk: (child: WorkerChild) => Promise<T>,
): Promise<T[]> {
  const children: WorkerChild[] = []
  const killAll = () => {
    for (const child of children) child.kill()
  }
  effects.signal?.addEventListener('abort', killAll)
  try {
    effects.signal?.throwIfAborted()
    while (children.length < count) {
      children.push(await effects.startChild(limits))
      // It may have been called off while what the first child needs was fetched.
      effects.signal?.throwIfAborted()
    }
    return await Promise.all(children.map(talk))
  } catch (error) {
    if (effects.signal?.aborted !== true) throw error
    throw new EvaluationError('The evaluation was cancelled.', { cause: error })
  } finally {
    effects.signal?.removeEventListener('abort', killAll)
    killAll()
    await Promise.all(children.map((child) => child.exited))
  }
}

/**
 * What a child answers, until the reader has enough. A failure it reports and its death are thrown.
 *
 * @param doing for messages: `evaluating model.onnx`
 */
export async function* answers(child: WorkerChild, doing: string): AsyncGenerator<Answer, never> {
  for await (const reply of child.replies) {
    if (reply.type !== 'failed') yield reply
    else if (reply.kind === 'usage') throw new UsageError(oneLine(reply.message))
    else throw new EvaluationError(`The child process failed while ${doing}: ${oneLine(reply.message)}`)
  }
  throw new EvaluationError(describeExit(await child.exited, doing))
}

export function impossibleReply(problem: string, doing: string): EvaluationError {
  return new EvaluationError(`The child's reply is not possible while ${doing}: ${oneLine(problem)}.`)
}
