import { formatResults } from '../../../src/evaluation/resultsFile.js'

/** The smallest results.json there is: one image, right and robust. */
export const smallestResults = formatResults({
  schema: 'robustness-gate/results/1',
  tool: { version: '0.1.0', engine: 'onnxruntime 1.30.0', cpu: 'any', batch: 16 },
  model: { name: 'a.onnx', sha256: 'a'.repeat(64), bytes: 1, classes: 2 },
  data: { name: 'x.npz', sha256: 'b'.repeat(64), samples: 1 },
  suite: { name: 'quick', version: 1, attacks: [{ id: 'fgsm', name: 'fgsm' }] },
  threats: [{ id: 'linf-0.1', norm: 'linf', epsilon: 0.1, bounds: [0, 1] }],
  seed: 0,
  summary: {
    clean: { correct: 1, samples: 1, accuracy: 1 },
    threats: { 'linf-0.1': { robustAccuracy: 1, attacks: { fgsm: { accuracy: 1 } } } },
    classes: [{ label: 0, samples: 1, correct: 1, robust: { 'linf-0.1': 1 } }],
  },
  samples: [
    {
      ...{ index: 0, label: 0, predicted: 0 },
      threats: { 'linf-0.1': { robust: true, attacks: { fgsm: { success: false, predicted: 0, distance: 0.1 } } } },
    },
  ],
  flags: [],
  cost: { seconds: 1, forwards: 1, gradients: 1 },
})
