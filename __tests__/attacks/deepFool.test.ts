import { describe } from '@jest/globals'
import { published } from '../../src/config/attackSchemas.js'
import { findsLeastDistance } from './support/leastDistance.js'

// It takes the class whose hyperplane is nearest, as if there were no bounds; and it never comes back from a step too far but on the
// straight line, which in L1 is not the way there (fartherDistances.test.ts).
describe('DeepFool', () => {
  const linear = { bounded: 2, free: 4 }
  findsLeastDistance(published('deepfool'), { norms: ['linf', 'l2'], linear, kink: 0.25 })
  findsLeastDistance(published('deepfool'), { norms: ['l1'], linear, kink: 0.75 })
})
