import { setImmediate } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import type { Client } from '../../src/github/client.js'
import { publish } from '../../src/github/publish.js'
import { gateKey } from '../../src/github/sections.js'
import { clientOf } from '../support/github/client.js'
import { actionsToken, startGitHub } from '../support/github/loopback.js'
import { saying, wordsOf } from '../support/github/publication.js'

/** Jobs of a matrix that end at the same moment: their requests reach GitHub one by one, in an order that a seed decides. */
function shuffling(seed: number): { readonly client: (client: Client) => Client; readonly run: () => Promise<void> } {
  let state = seed
  const random = (below: number) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const waiting: (() => Promise<unknown>)[] = []
  return {
    client(client) {
      client.octokit.hook.wrap(
        'request',
        (request, options) =>
          new Promise((resolve, reject) => {
            waiting.push(() => Promise.resolve(request(options)).then(resolve, reject))
          }),
      )
      return client
    },
    async run() {
      // Those who wait for their turn are given the chance to ask before the next is chosen.
      for (let idle = 0; idle < 50; idle += 1) {
        await setImmediate()
        const [next] = waiting.splice(random(waiting.length), 1)
        if (next === undefined) continue
        await next()
        idle = 0
      }
    },
  }
}

test.each(Array.from({ length: 4 }, (_, seed) => [seed + 1]))(
  'twelve gates that end at the same time are all in the one comment, in whatever order GitHub hears them (%i)',
  async (seed) => {
    const github = await startGitHub({
      ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { writes: actionsToken } },
    })
    const order = shuffling(seed)
    const names = Array.from({ length: 12 }, (_, place) => `Gate ${String(place).padStart(2, '0')}`)
    const posted = names.map((checkName) => {
      const client = order.client(clientOf(github.url, 'writes', { owner: 'Codertocat', repo: 'Hello-World' }))
      return publish(client, saying(`Report of ${checkName}.`, { checkName }))
    })
    await order.run()
    for (const { warnings } of await Promise.all(posted)) expect(warnings).toEqual([])
    expect(github.comments).toHaveLength(1)
    const headings = wordsOf(github.comments[0]).match(/^### .*/gm)
    expect(headings).toEqual(names.map((name) => `### ${name}`))
    await github.close()
  },
)

test.each([
  ['a few', 12],
  // Twenty in all: what the last one has written is looked at, too.
  ['all but the last', 19],
])('a job that others overtake before %s of its writes leaves none of them out', async (_, overtakes) => {
  const github = await startGitHub({
    ...{ repository: 'Codertocat/Hello-World', pullRequests: [2], tokens: { writes: actionsToken } },
  })
  const others = Array.from({ length: overtakes }, (_, place) => `Gate ${String(place).padStart(2, '0')}`)
  const left = [...others]
  github.faultAt = (_, operation) => {
    const name = /^issues\/(create|update)-comment$/.test(operation) ? left.shift() : undefined
    if (name !== undefined) {
      const [own] = github.checkRuns
      const output = { title: name, summary: own.output.summary?.replaceAll('Slow', name) ?? '' }
      github.checkRuns.push({
        ...own,
        id: 5000 - left.length,
        name,
        external_id: `robustness-gate:${gateKey(name)}`,
        output,
      })
    }
    return undefined
  }
  const client = clientOf(github.url, 'writes', { owner: 'Codertocat', repo: 'Hello-World' })
  const { warnings } = await publish(client, saying('Report of Slow.', { checkName: 'Slow' }))
  expect(warnings).toEqual([])
  expect(wordsOf(github.comments[0]).match(/^### .*/gm)).toEqual([...others, 'Slow'].map((name) => `### ${name}`))
  await github.close()
})
