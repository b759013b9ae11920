import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const out = 'robustness-gate-results'

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
// What an earlier run found must not stand in for this one.
rmSync(join(root, out), { recursive: true, force: true })
const { status, signal, error } = spawnSync(
  process.execPath,
  ['dist/cli/index.js', 'gate', ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])],
  { cwd: root, stdio: 'inherit' },
)

const outcome = verdictOf(join(root, out, 'comparison.json'))
if (status === 1 && outcome === 'regression')
  console.log(`
That is the expected result: the verdict is "regression", and in a pull request the job would fail (exit status 1).
The report is ${out}/report.md; the numbers are in results.json, baseline.json and comparison.json beside it.`)
else {
  const ended = error?.message ?? signal ?? `exit status ${status}`
  console.error(`
The demo failed: it expects the verdict "regression" and exit status 1, but got ${outcome ?? 'no verdict'} and ${ended}.`)
  process.exitCode = 1
}

/** Node's own failures end with status 1, too: only what the gate has written tells that it was a regression. */
function verdictOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).verdict.outcome
  } catch {
    return undefined
  }
}
