import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { inTemporaryFolder } from '../support/cli.js'

const session = pathToFileURL(resolve('.build/engine/session.js')).href
const model = resolve('fixtures/fashion/fashion-hardened.onnx')
const program = `
  const { readFileSync } = await import('node:fs')
  const { openSession } = await import(${JSON.stringify(session)})
  await openSession(readFileSync(${JSON.stringify(model)}))
`

/** Its own telemetry would leave an identifier of the machine, a log and a queue of what is to be sent; CI=… alone would keep it from that. */
test('a model that is opened leaves no trace of itself: onnxruntime tells nobody of it', async () => {
  await inTemporaryFolder(async (folder) => {
    const env = { HOME: folder, TMPDIR: folder }
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env })
    expect(await readdir(folder)).toEqual([])
  })
})
