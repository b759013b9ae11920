import { describe } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { findsLeastDistance } from './support/leastDistance.js'

// The gradient of the cross-entropy leads towards all other classes at once, so with several it need not end at the nearest.
describe('DDN', () => findsLeastDistance(published('ddn'), { norms: ['l2'], linear: { bounded: 2 }, kink: 0.25 }))
