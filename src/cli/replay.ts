import { threatTitle } from '../comparison/text.js'
import { lastPart, nodeFiles, readNamed } from '../data/files.js'
import { UsageError } from '../errors.js'
import { requestFor } from '../evaluateModel.js'
import { completeModel, loadDataset, loadWitnesses } from '../evaluation/ask.js'
import { recheck } from '../evaluation/recheck.js'
import type { Rechecked } from '../evaluation/recheck.js'
import { plain } from '../report/escape.js'
import { listed } from '../report/layout.js'
import type { ExitStatus } from './failure.js'
import type { Io } from './io.js'
import { readConfig, readData, readModel, required } from './sources.js'
import type { Flags } from './sources.js'

/** Counts which adversarial examples of an archive fool a model, inside the ball. That some do not is no failure: status 0. */
export async function replay(path: string, flags: Flags, io: Io): Promise<ExitStatus> {
  const config = await readConfig(flags)
  const [threat, ...others] = config.threats
  if (others.length > 0)
    throw new UsageError(`${path}: was made within one ε, but ${config.threats.length} are given; give its own`)
  const file = await readModel(required(config.model, 'model', 'the model to replay them on'))
  const asking = { ...io.host, timeLimitSeconds: config.limits.seconds }
  const dataset = await loadDataset(await readData(config), config.dataOptions, config.samples, asking)
  const witnesses = await loadWitnesses(await readNamed(path, nodeFiles), lastPart(path), asking)
  const model = await completeModel(file, asking)
  const rechecked = await recheck(witnesses, threat, requestFor({ role: 'candidate', model, dataset, config }), io.host)
  const title = `${plain(lastPart(path), 80)} on ${plain(file.name, 80)}: ${rechecked.length} adversarial examples`
  io.stdout(`${title}\n${lines(rechecked, threatTitle(threat)).join('\n')}\n`)
  return 0
}

function lines(all: readonly Rechecked[], ball: string): readonly string[] {
  const line = (what: string, holds: (one: Rechecked) => boolean, listing = false): string => {
    const images = all.filter(holds).map(({ index }) => index)
    const which = listing && images.length > 0 ? `: images ${listed(images, 20)}` : ''
    return `${String(images.length).padStart(String(all.length).length + 2)}  ${what}${which}`
  }
  return [
    line(`fool the model, inside ${ball}`, ({ right, fools, inside }) => right && fools && inside),
    line('do not fool it', ({ right, fools }) => right && !fools, true),
    line('lie outside the ball or the range of the pixels', ({ inside }) => !inside, true),
    line('are of images on which it is wrong anyway', ({ right }) => !right, true),
  ]
}
