import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { expect, test } from '@jest/globals'
import type { Request } from '../../src/engine/messages.js'
import { ReplySchema } from '../../src/engine/messages.js'
import type { Reply } from '../../src/engine/messages.js'
import { startChild } from '../../src/sandbox/child.js'
import { inTemporaryFolder } from '../support/cli.js'

const model = {
  name: 'a.onnx',
  bytes: new Uint8Array(readFileSync('fixtures/fashion/fashion-hardened.onnx')),
  external: {},
}
const addon = resolve('dist/bin/napi-v6/linux/x64/onnxruntime_binding.node')

/**
 * onnxruntime's own telemetry would leave a log, an identifier of the machine and a queue of what is to be sent; of what the
 * parent's environment says (CI=…) a child knows nothing.
 */
test.each([
  ['.build/engine/worker.js', []],
  ['dist/worker/index.js', [addon]],
])('%s opens a model and leaves no trace: onnxruntime tells nobody of it', async (entry, argv) => {
  await inTemporaryFolder(async (folder) => {
    const child = startChild<Request, Reply>({
      ...{ entry: resolve(entry), argv, schema: ReplySchema, timeLimitSeconds: 60 },
      environment: { HOME: folder, TMPDIR: folder },
    })
    child.send({ type: 'inspect', model })
    const { value } = await child.replies[Symbol.asyncIterator]().next()
    expect(value).toMatchObject({ type: 'inspected', inspection: { attackable: 'yes' } })
    child.kill()
    await child.exited
    expect(await readdir(folder)).toEqual([])
  })
})
