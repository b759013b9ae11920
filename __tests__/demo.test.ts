import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { inTemporaryFolder, root } from './support/cli.js'

/** The demo with a stand-in for the gate, after an earlier run that went well. */
async function demo(gate: string) {
  return inTemporaryFolder(async (folder) => {
    for (const name of ['scripts', 'dist/cli', 'robustness-gate-results'])
      mkdirSync(join(folder, name), { recursive: true })
    cpSync(join(root, 'scripts/demo.mjs'), join(folder, 'scripts/demo.mjs'))
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
    writeFileSync(join(folder, 'robustness-gate-results/comparison.json'), '{"verdict": {"outcome": "regression"}}')
    writeFileSync(join(folder, 'dist/cli/index.js'), gate)
    const { status, stderr } = spawnSync(process.execPath, ['scripts/demo.mjs'], { cwd: folder, encoding: 'utf8' })
    return { status, stderr }
  })
}

const writes = (outcome: string) => `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('robustness-gate-results')
writeFileSync('robustness-gate-results/comparison.json', '{"verdict": {"outcome": "${outcome}"}}')
process.exitCode = 1`

test('the demo ends well with the verdict that it shows', async () => {
  expect(await demo(writes('regression'))).toEqual({ status: 0, stderr: '' })
})

test.each([
  ['a crash, though Node ends it with the status of a regression', 'throw new Error("broken")', 'no verdict'],
  ['another verdict', writes('error'), 'error'],
  ['a gate that says nothing', '', 'no verdict'],
])('the demo fails after %s', async (_, gate, got) => {
  const { status, stderr } = await demo(gate)
  expect(status).toBe(1)
  expect(stderr).toContain(`expects the verdict "regression" and exit status 1, but got ${got}`)
})
