import { describe, expect, test } from '@jest/globals'
import { refuseOtherSpelling } from '../../src/github/spelling.js'

/** A file system that takes `Models` for `models`, as those of Windows and macOS do: it lists the names as they are written. */
const folders: Readonly<Record<string, readonly string[]>> = {
  '/workspace': ['models', 'Entrées', 'robustness.yml'],
  '/workspace/models': ['a.onnx', 'B.onnx', 'b.onnx'],
}

function readdir(path: string): Promise<string[]> {
  const name = Object.keys(folders).find((each) => each.toLowerCase() === path.toLowerCase())
  return name === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve([...folders[name]])
}

const check = (path: string) => refuseOtherSpelling(path, '/workspace', { readdir })

describe('a path that git would not find in the base commit, so that any model passed as a first adoption, is refused', () => {
  test.each([
    ['a folder', 'Models/a.onnx', 'Models: is called models here'],
    ['a file', 'models/A.onnx', 'models/A.onnx: is called models/a.onnx here'],
    ['a config', 'Robustness.yml', 'Robustness.yml: is called robustness.yml here'],
    ['accents in another form', 'Entre\u0301es/a.onnx', 'is called Entrées here'],
  ])('%s', async (_, path, message) => {
    await expect(check(`/workspace/${path}`)).rejects.toThrow(message)
  })
})

test.each(['models/a.onnx', 'models/b.onnx', 'models/B.onnx', 'models/new.onnx', 'other/a.onnx', 'models/a.onnx/deep'])(
  '%s is as it lies there, or is not there',
  async (path) => {
    await expect(check(`/workspace/${path}`)).resolves.toBeUndefined()
  },
)

test('what lies outside of the workspace is in no commit', async () => {
  await expect(check('/Workspace/models/a.onnx')).resolves.toBeUndefined()
})
