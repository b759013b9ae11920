/** A page of a list, as octokit answers. */
interface Page<T> {
  readonly data: T
  readonly headers: { readonly link?: string }
}

/**
 * The pages of a list, one after the other. octokit's own pagination takes a 409 for an empty list, and what could not be read
 * would pass for nothing: no comment yet, no file that is changed, no baseline.
 *
 * @param ask - Gets the number of a page, from 1.
 */
export async function* pagesOf<T>(ask: (page: number) => Promise<Page<T>>): AsyncGenerator<T> {
  for (let [page, more] = [1, true]; more; page += 1) {
    const { data, headers } = await ask(page)
    more = /\brel="next"/.test(headers.link ?? '')
    yield data
  }
}

/** All that a list holds. */
export async function everyOne<T>(ask: (page: number) => Promise<Page<readonly T[]>>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const page of pagesOf(ask)) all.push(...page)
  return all
}
