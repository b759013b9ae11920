import { intAttribute } from '../attributes.js'
import { int64Tensor } from '../tensor.js'
import type { Upgrades } from './context.js'
import { toInput } from './edit.js'

/** DFT-20 takes its axis as an input, and another one when it is left out. */
export const SIGNAL: Upgrades = {
  DFT: [
    {
      since: 20,
      upgrade: (node, context) => toInput(node, 'axis', 2, int64Tensor([intAttribute(node, 'axis', 1)], []), context),
    },
  ],
}
