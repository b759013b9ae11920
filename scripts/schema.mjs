import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { transpile } from './transpile.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** Writes schema/*.json from the schemas that the code parses with. */
await transpile()
const { publishedSchemas } = await import('../.build/comparison/jsonSchema.js')
await mkdir(join(root, 'schema'), { recursive: true })
for (const [name, schema] of Object.entries(publishedSchemas())) {
  const file = join(root, 'schema', name)
  const options = { ...(await resolveConfig(file)), filepath: file }
  await writeFile(file, await format(JSON.stringify(schema), options))
}
