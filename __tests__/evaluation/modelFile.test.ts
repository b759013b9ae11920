import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { nodeFiles } from '../../src/data/files.js'
import { UsageError } from '../../src/errors.js'
import { hashModel, mayNameFiles, readModelFile } from '../../src/evaluation/modelFile.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-file-'))
})
afterEach(() => rm(folder, { recursive: true }))

async function refusal(path: string): Promise<string> {
  try {
    await readModelFile(path, 'model.onnx')
  } catch (error) {
    if (error instanceof UsageError) return error.message
    throw error
  }
  throw new Error('it was accepted')
}

describe('a model file', () => {
  test('is hashed as sha256sum does', async () => {
    const path = join(folder, 'model.onnx')
    await writeFile(path, 'abc')
    const model = await readModelFile(path)
    expect(model).toMatchObject({ name: path, external: {} })
    // FIPS 180-4, the example "abc".
    expect(model.sha256).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })

  test('comes with the weights that exporters write next to it, and with no other file', async () => {
    for (const file of ['model.onnx', 'model.onnx.data', 'model.data', 'model.onnx_data', 'other.data', 'model.txt'])
      await writeFile(join(folder, file), file)
    const { external } = await readModelFile(join(folder, 'model.onnx'))
    expect(Object.keys(external).sort()).toEqual(['model.data', 'model.onnx.data', 'model.onnx_data'])
    expect(Buffer.from(external['model.data']).toString()).toBe('model.data')
  })

  test('with other external weights is another model', async () => {
    const model = { name: 'm', bytes: Uint8Array.of(1) }
    const [one, two] = [Uint8Array.of(1), Uint8Array.of(2)]
    const weights: readonly Record<string, Uint8Array>[] = [{}, { a: one }, { a: two }, { b: two }]
    const hashes = weights.map((external) => hashModel({ ...model, external }))
    expect(new Set(hashes).size).toBe(4)
  })
})

describe('files that a model names', () => {
  const read = async (location: string) => {
    const { readBeside } = await readModelFile(join(folder, 'models/model.onnx'))
    return readBeside?.([location])
  }
  beforeEach(async () => {
    await mkdir(join(folder, 'models/weights'), { recursive: true })
    await writeFile(join(folder, 'models/model.onnx'), 'model')
    await writeFile(join(folder, 'models/weights/part'), 'part')
    await writeFile(join(folder, 'secret'), 'secret')
  })

  test('are read under the names it gives them', async () => {
    expect(await read('weights/part')).toEqual({ 'weights/part': Buffer.from('part') })
    expect(await read('./weights/part')).toEqual({ './weights/part': Buffer.from('part') })
  })

  test.each(['../secret', 'weights/../../secret', '/etc/passwd', 'C:\\secret', 'weights\\part', 'weights//part', '.'])(
    '%s is refused',
    async (location) => {
      await expect(read(location)).rejects.toThrow("save it with weights inside the model's own folder")
    },
  )

  test('behind a link are refused, wherever it stands and leads', async () => {
    await symlink('../secret', join(folder, 'models/link'))
    await symlink('weights', join(folder, 'models/folder'))
    await expect(read('link')).rejects.toThrow('symbolic link')
    await expect(read('folder/part')).rejects.toThrow('symbolic link')
  })

  test('that are no files are refused', async () => {
    await expect(read('weights')).rejects.toThrow('is a folder')
    await expect(read('nothing')).rejects.toThrow('no such file')
  })

  test('are only asked for where the model seems to name some', () => {
    const model = { name: 'model.onnx', external: {} }
    expect(mayNameFiles({ ...model, bytes: Buffer.from('a weight and its location') })).toBe(false)
    expect(mayNameFiles({ ...model, bytes: Buffer.from('\x0a\x08location\x12\x01w') })).toBe(true)
  })
})

describe('what is no model is refused with what to do', () => {
  test('nothing', async () => {
    expect(await refusal(join(folder, 'missing.onnx'))).toMatch(/no such file.*check the path/)
  })

  test('a folder', async () => {
    await mkdir(join(folder, 'model.onnx'))
    expect(await refusal(join(folder, 'model.onnx'))).toMatch(/^model\.onnx: is a folder; give the path/)
  })

  test('an empty file', async () => {
    await writeFile(join(folder, 'model.onnx'), '')
    expect(await refusal(join(folder, 'model.onnx'))).toMatch(/^model\.onnx: is empty; export/)
  })

  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'0'.repeat(64)}\nsize 12345\n`
  test('a Git LFS pointer', async () => {
    await writeFile(join(folder, 'model.onnx'), pointer)
    expect(await refusal(join(folder, 'model.onnx'))).toMatch(/^model\.onnx: .*LFS pointer.*git lfs pull.*lfs: true/)
  })

  test('a model whose weights are a Git LFS pointer', async () => {
    await writeFile(join(folder, 'model.onnx'), 'model')
    await writeFile(join(folder, 'model.onnx.data'), pointer)
    expect(await refusal(join(folder, 'model.onnx'))).toMatch(/^model\.onnx\.data: .*LFS pointer/)
  })

  test('weights that are a link to another place of the runner', async () => {
    await mkdir(join(folder, 'models'))
    await writeFile(join(folder, 'secret'), 'secret')
    await writeFile(join(folder, 'models', 'model.onnx'), 'model')
    await symlink('../secret', join(folder, 'models', 'model.data'))
    expect(await refusal(join(folder, 'models', 'model.onnx'))).toMatch(/symbolic link that leaves/)
  })

  test('a file that does not fit into memory is not read', async () => {
    const path = join(folder, 'model.onnx')
    await writeFile(path, 'model')
    const huge = {
      ...nodeFiles,
      stat: () => Promise.resolve({ isFile: () => true, isDirectory: () => false, size: 2 ** 31 }),
      readFile: () => Promise.reject(new Error('it was read')),
    }
    await expect(readModelFile(path, 'model.onnx', huge)).rejects.toThrow(/2147483648 bytes.*2 GiB/)
  })
})
