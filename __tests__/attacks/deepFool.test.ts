import { describe } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { findsLeastDistance } from './support/leastDistance.js'

// It takes the class whose hyperplane is nearest, as if there were no bounds; and it never comes back from a step too far.
describe('DeepFool', () =>
  findsLeastDistance(published('deepfool'), {
    norms: ['linf', 'l2', 'l1'],
    linear: { bounded: 2, free: 4 },
    kink: 0.75,
  }))
