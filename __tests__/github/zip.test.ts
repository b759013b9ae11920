import { describe, expect, test } from '@jest/globals'
import { strToU8, zipSync } from 'fflate'
import { readZip } from '../../src/github/zip.js'

/** An artifact is made by whoever opened the pull request. */

const limit = 1000

function read(zip: Uint8Array) {
  return readZip(zip, ['results.json', 'baseline.json'], limit, 'the artifact')
}

test('only the files asked for are unpacked', () => {
  const zip = zipSync({ 'results.json': strToU8('{}'), 'other.bin': new Uint8Array(1_000_000) })
  expect(read(zip)).toEqual({ 'results.json': strToU8('{}') })
})

describe('refused', () => {
  test('a bomb, by what its directory declares', () => {
    expect(() => read(zipSync({ 'results.json': new Uint8Array(limit + 1) }))).toThrow(
      'the artifact: results.json would unpack to 1001 bytes, more than the limit of 1000; is it the right file?',
    )
  })

  test('a bomb whose directory declares less: no more than that is unpacked', () => {
    const zip = zipSync({ 'results.json': new Uint8Array(1_000_000) })
    const view = new DataView(zip.buffer)
    const directory = view.getUint32(zip.length - 6, true)
    view.setUint32(directory + 24, 10, true)
    const unpacked = (() => {
      try {
        return read(zip)['results.json']?.length ?? 0
      } catch {
        return 0
      }
    })()
    expect(unpacked).toBeLessThanOrEqual(10)
  })

  test('a file that is there twice, of which two readers might take different ones', () => {
    const zip = zipSync({ 'results.json': strToU8('{}'), 'resultt.json': strToU8('{"other":1}') })
    const renamed = Buffer.from(
      zip.map((byte, place) => (String.fromCharCode(byte, zip[place + 1]) === 't.' ? 115 : byte)),
    )
    expect(() => read(renamed)).toThrow('the artifact holds results.json twice; upload it again')
  })

  test('a directory without end', () => {
    const names = Array.from({ length: 10_001 }, (_, place) => [String(place), new Uint8Array()])
    expect(() => read(zipSync(Object.fromEntries(names)))).toThrow(
      'holds more than 10000 files; upload nothing but what the gate reads',
    )
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['text', strToU8('PK but no archive')],
    ['half an archive', zipSync({ 'results.json': strToU8('{}') }).slice(0, 40)],
  ])('%s', (_, zip) => {
    expect(() => read(zip)).toThrow(/^the artifact is not a readable zip archive \(.+\); upload it again$/)
  })
})
