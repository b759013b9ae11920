import { expect, test } from '@jest/globals'
import { isAddress, parseAddress } from '../../src/remote/address.js'

const hash = 'ab'.repeat(32)

test('an address with the hash of its file is read; what is shown of it holds no secret', () => {
  expect(parseAddress(`https://models.example/a/b/new%20model.onnx?signature=secret#sha256=${hash}`, 'model')).toEqual({
    url: 'https://models.example/a/b/new%20model.onnx?signature=secret',
    sha256: hash,
    name: 'new model.onnx',
    host: 'models.example',
  })
})

test.each([
  ['no hash', 'https://models.example/m.onnx', /needs the SHA-256 .*sha256sum gives it$/],
  ['half a hash', 'https://models.example/m.onnx#sha256=abcd', /needs the SHA-256/],
  ['another hash', `https://models.example/m.onnx#md5=${hash}`, /needs the SHA-256/],
  ['no encryption', `http://models.example/m.onnx#sha256=${hash}`, /only https: addresses are fetched/],
  [
    'a password',
    `https://me:secret@models.example/m.onnx#sha256=${hash}`,
    /ends up in logs; give a secret as data-token/,
  ],
  ['no file', `https://models.example/#sha256=${hash}`, /names no file/],
  ['a folder', `https://models.example/models/#sha256=${hash}`, /names no file/],
  ['a path as a name', `https://models.example/..%2f..%2fetc#sha256=${hash}`, /names no file/],
  ['no host', `https:///#sha256=${hash}`, /no address/],
])('an address with %s is refused in one sentence, without what may be secret', (_, written, message) => {
  const parse = () => parseAddress(written, 'input data')
  expect(parse).toThrow(message)
  expect(parse).toThrow(/^input data: [^\n]+$/)
  expect(parse).not.toThrow(/secret@/)
})

test('files of the workspace are no addresses', () => {
  expect(['models/https.onnx', 'https', 'artifact:https/x'].filter(isAddress)).toEqual([])
})
