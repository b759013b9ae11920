import { attacksRun } from '../engine/attacksRun.js'
import type { Results } from './results.js'

/** The attacks that results are of: all of the suite, or those that need no gradient where the model has none. */
export function attacksOf({
  suite,
  model,
}: Pick<Results, 'suite' | 'model'>): readonly Results['suite']['attacks'][number][] {
  return attacksRun(suite.attacks, model.gradient !== false)
}
