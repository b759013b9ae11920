import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encode } from 'fast-png'
import type { DataOptions } from '../../src/config/types.js'
import { decodeData } from '../../src/data/decode.js'
import { locateData } from '../../src/data/locate.js'
import type { Raster } from '../../src/data/raster.js'
import type { Dataset } from '../../src/data/types.js'

const here = dirname(fileURLToPath(import.meta.url))
const fixtures = join(here, '../../fixtures')

export const fashion = join(fixtures, 'fashion/fashion-test.npz')
export const mnist = join(fixtures, 'mnist/mnist-test-100.npz')
export const cifar = join(fixtures, 'cifar/cifar10-test-100.npz')

export const defaults: DataOptions = { range: [0, 1], layout: 'nchw', channels: 'auto' }

/** What parent and child do one after the other. */
export async function load(path: string, options: Partial<DataOptions> = {}, samples?: number): Promise<Dataset> {
  const all = { ...defaults, ...options }
  return decodeData(await locateData(path, all, samples), all, samples)
}

export async function loadNpz(bytes: Uint8Array, options: Partial<DataOptions> = {}, samples?: number) {
  return decodeData({ kind: 'npz', name: 'test.npz', bytes }, { ...defaults, ...options }, samples)
}

/** A folder that is gone after the test, with these files in it. */
export async function withFiles<T>(
  files: Readonly<Record<string, Uint8Array | string>>,
  test: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'robustness-gate-data-')))
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true })
      await writeFile(join(folder, name), content)
    }
    return await test(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** An 8-bit PNG of one value. */
export function plainPng(value: number | readonly [number, number, number], width = 2, height = 2): Uint8Array {
  const pixel = typeof value === 'number' ? [value] : value
  const data = Uint8Array.from({ length: width * height * pixel.length }, (_, i) => pixel[i % pixel.length])
  return encode({ width, height, data, channels: pixel.length, depth: 8 })
}

interface StoredRaster {
  readonly width: number
  readonly height: number
  readonly channels: number
  readonly pixels: string
}
interface EncodedCase {
  readonly title: string
  readonly file: string
  readonly expected: StoredRaster
}
interface Pillow {
  readonly resize: readonly { shorter: number; source: StoredRaster; expected: StoredRaster }[]
  readonly gray: { source: StoredRaster; expected: StoredRaster }
  readonly png: readonly EncodedCase[]
  readonly jpeg: readonly EncodedCase[]
  readonly cropOffsets: readonly number[]
}

/** Written by scripts/reference/pillow.py. */
export const pillow: Pillow = JSON.parse(readFileSync(join(here, 'pillow.json'), 'utf8'))

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(Buffer.from(base64, 'base64'))
}

export function rasterOf({ width, height, channels, pixels }: StoredRaster): Raster {
  if (channels !== 1 && channels !== 3) throw new Error(`the reference has ${channels} channels`)
  return { width, height, channels, pixels: bytesOf(pixels) }
}

export async function bytesAt(path: string): Promise<Uint8Array> {
  return readFile(path)
}
