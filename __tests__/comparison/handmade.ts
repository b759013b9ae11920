import type { Policy } from '../../src/config/types.js'
import { summarise } from '../../src/evaluation/summarise.js'
import type { Results } from '../../src/evaluation/results.js'

export const POLICY: Policy = {
  maxRobustDrop: 1,
  maxCleanDrop: 1,
  cleanBudget: 3,
  decision: 'significant',
  significance: 0.05,
  failOn: 'regression',
}

const ATTACKS = [
  { id: 'fgsm', name: 'fgsm', survivorsOnly: false, loss: 'cross-entropy' },
  {
    id: 'pgd',
    name: 'pgd',
    survivorsOnly: false,
    loss: 'cross-entropy',
    steps: 20,
    relativeStepSize: 0.25,
    restarts: 1,
  },
  {
    id: 'pgd-margin',
    name: 'pgd',
    survivorsOnly: true,
    loss: 'margin',
    steps: 20,
    relativeStepSize: 0.25,
    restarts: 1,
  },
]

const BOUNDS: [number, number] = [0, 1]

/** What became of one image: robust; broken by FGSM and PGD, by PGD, only by the PGD for survivors; or wrong already. */
export type Fate = 'R' | 'f' | 'p' | 'm' | 'w'

/** `fates('R', 3, 'w', 1)` is `RRRw`. */
export function fates(...runs: readonly (Fate | number)[]): string {
  let text = ''
  for (let place = 0; place < runs.length; place += 2) text += String(runs[place]).repeat(Number(runs[place + 1]))
  return text
}

/**
 * Results of one model as `evaluation/` makes them with standard@1; one letter (a `Fate`) an image, one text a threat: Linf 0.1, Linf
 * 8/255, … Image i has label i mod 10. An image that is wrong must be so in every text.
 */
export function handmadeResults(texts: string | readonly string[], changes: Partial<Results> = {}): Results {
  const perThreat = typeof texts === 'string' ? [texts] : texts
  const threats = [
    { id: 'linf-0.1', norm: 'linf' as const, epsilon: 0.1, bounds: BOUNDS },
    { id: 'linf-8_255', norm: 'linf' as const, epsilon: 8 / 255, bounds: BOUNDS },
    { id: 'l2-1.5', norm: 'l2' as const, epsilon: 1.5, bounds: BOUNDS },
  ].slice(0, perThreat.length)
  const samples = [...perThreat[0]].map((_, index) => {
    const label = index % 10
    const wrong = (label + 1) % 10
    const outcome = (success: boolean) => ({ success, predicted: success ? wrong : label, distance: 0.1 })
    return {
      index,
      label,
      predicted: perThreat[0][index] === 'w' ? wrong : label,
      threats: Object.fromEntries(
        threats.map(({ id }, place) => {
          const fate = perThreat[place][index]
          const attacks =
            fate === 'w'
              ? {}
              : {
                  fgsm: outcome(fate === 'f'),
                  pgd: outcome(fate === 'f' || fate === 'p'),
                  ...((fate === 'R' || fate === 'm') && { 'pgd-margin': outcome(fate === 'm') }),
                }
          return [id, { robust: fate === 'R', attacks }]
        }),
      ),
    }
  })
  return {
    schema: 'robustness-gate/results/1',
    tool: { version: '0.1.0', engine: 'onnxruntime 1.30.0', cpu: 'Example CPU', batch: 64 },
    model: { name: 'model.onnx', sha256: 'a'.repeat(64), bytes: 1234, classes: 10 },
    data: { name: 'images.npz', sha256: 'd'.repeat(64), samples: samples.length },
    suite: { name: 'standard', version: 1, attacks: ATTACKS },
    threats,
    seed: 0,
    summary: summarise(samples, { threats, attacks: ATTACKS, classNames: changes.data?.classNames }),
    samples,
    flags: [],
    cost: { seconds: 12, forwards: 34_000, gradients: 20_000 },
    ...changes,
  }
}

/** The other model: another hash, so that it does not read as unchanged. */
export function handmadeBaseline(texts: string | readonly string[], changes: Partial<Results> = {}): Results {
  return handmadeResults(texts, {
    model: { name: 'base.onnx', sha256: 'b'.repeat(64), bytes: 1234, classes: 10 },
    ...changes,
  })
}
