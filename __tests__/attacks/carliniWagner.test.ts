import { describe } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { findsLeastDistance } from './support/leastDistance.js'

// At a bound tanh is flat: pixels that lie at one hardly move. With several classes it ends at the one that is easy first.
describe('Carlini and Wagner', () =>
  findsLeastDistance(published('cw'), { norms: ['l2'], linear: { near: 2, free: 2 }, runs: 20, kink: 0.25 }))
