import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/**
 * Does what speaks to a server through Node's own HTTP client, as GitHub's toolkits do, and tells whether the last that was
 * heard of the server was a refusal or nothing. A toolkit says so in the log, and answers as if there was nothing to be found.
 */
export async function watchRefusals<T>(
  work: () => Promise<T>,
): Promise<{ readonly value: T; readonly refused: boolean }> {
  let refused = false
  const onAnswer = (message: unknown): void => {
    const { statusCode = 0 } = (message as { readonly response: { readonly statusCode?: number } }).response
    refused = statusCode >= 400
  }
  const onError = (): void => {
    refused = true
  }
  subscribe(answered, onAnswer)
  subscribe(failed, onError)
  try {
    return { value: await work(), refused }
  } finally {
    unsubscribe(answered, onAnswer)
    unsubscribe(failed, onError)
  }
}

const answered = 'http.client.response.finish'
const failed = 'http.client.request.error'
