import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from '@jest/globals'
import ts from 'typescript'

/** File → the files it imports from, types included. */
type Imports = ReadonlyMap<string, readonly string[]>

/** Follows imports from a file on; the way back to it, where there is one. */
function wayBack(imports: Imports, from: string): readonly string[] | undefined {
  const seen = new Set<string>()
  const ways: (readonly string[])[] = [[from]]
  for (let way = ways.shift(); way !== undefined; way = ways.shift())
    for (const next of imports.get(way[way.length - 1]) ?? []) {
      if (next === from) return [...way, from]
      if (!seen.has(next)) ways.push([...way, next])
      seen.add(next)
    }
  return undefined
}

function cycles(imports: Imports): readonly string[] {
  return [...imports.keys()].flatMap((file) => wayBack(imports, file)?.join(' → ') ?? [])
}

function importsOf(folder: string): Imports {
  const files = readdirSync(folder, { recursive: true }).map(String)
  const sources = files.filter((file) => file.endsWith('.ts')).map((file) => join(folder, file))
  return new Map(
    sources.map((file) => {
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'))
      const own = importedFiles.map(({ fileName }) => fileName).filter((name) => name.startsWith('.'))
      return [file, own.map((name) => join(dirname(file), name.replace(/\.js$/, '.ts')))]
    }),
  )
}

test('a circle is found, and what only leads to one is none', () => {
  const circle = new Map([
    ['a', ['b']],
    ['b', ['c', 'd']],
    ['c', ['b']],
    ['d', []],
  ])
  expect(cycles(circle)).toEqual(['b → c → b', 'c → b → c'])
})

/** The linter keeps rooms one way; files of one room that need each other are one file, or hide a third. */
test('no file of src imports itself, over however many others', () => {
  const imports = importsOf('src')
  expect(imports.get(join('src', 'main.ts'))?.length).toBeGreaterThan(0)
  const missing = [...imports.values()].flat().filter((file) => !imports.has(file))
  expect(missing).toEqual([])
  expect(cycles(imports)).toEqual([])
})
