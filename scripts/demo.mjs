import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = 'robustness-gate-results'
const regression = 1

console.log(`A pull request fine-tunes a robust Fashion-MNIST model: clean accuracy goes up, and every ordinary test is green.
The gate attacks both models on the same 500 images (Linf, ε = 0.1). It should refuse to merge.
`)

const flags = {
  candidate: 'fixtures/fashion/fashion-finetuned.onnx',
  baseline: 'fixtures/fashion/fashion-hardened.onnx',
  data: 'fixtures/fashion/fashion-test.npz',
  'class-names': 'fixtures/fashion/class-names.txt',
  epsilon: '0.1',
  out,
}
const { status, signal, error } = spawnSync(
  process.execPath,
  ['dist/cli/index.js', 'gate', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
  { cwd: root, stdio: 'inherit' },
)
if (error) throw error

if (status === regression)
  console.log(`
That is the expected result: the verdict is "regression", and in a pull request the job would fail (exit status 1).
The report is ${out}/report.md; the numbers are in results.json, baseline.json and comparison.json beside it.`)
else
  console.error(
    `\nThe demo expects the verdict "regression" (exit status 1), but the gate ended with ${signal ?? status}.`,
  )
process.exitCode = status === regression ? 0 : 1
