import type { ServerResponse } from 'node:http'
import type { Reply } from './loopback.js'

/** What goes wrong with one request, though it was a right one. */
export type Fault = {
  /** GitHub does what it was asked before the answer is lost. */
  readonly performed?: boolean
} & (
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** The connection is reset before a byte of an answer. */
  | { readonly kind: 'reset' }
  /** The answer's body never ends. */
  | { readonly kind: 'slow body' }
  /** The answer is half as long as it says, and the connection stays in order. */
  | { readonly kind: 'truncated' }
  /** The answer ends in the middle, with the connection. */
  | { readonly kind: 'cut off' }
)

/** The faults that every request has to be ready for. */
export const everyFault: Readonly<Record<string, Fault>> = {
  '403 without a word': refusal(403, 'Forbidden'),
  '403, a secondary rate limit': refusal(403, 'You have exceeded a secondary rate limit.', { 'retry-after': '1' }),
  '403, the primary rate limit': refusal(403, 'API rate limit exceeded', {
    ...{ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' },
  }),
  '404': refusal(404, 'Not Found'),
  '409': refusal(409, 'Conflict'),
  '422': refusal(422, 'Validation Failed'),
  '429': refusal(429, 'Too Many Requests'),
  '429, a secondary rate limit': refusal(429, 'You have exceeded a secondary rate limit.', { 'retry-after': '1' }),
  '500': refusal(500, 'Server Error'),
  '502, a page of a proxy': {
    kind: 'reply',
    reply: { status: 502, body: '<html>', headers: { 'content-type': 'text/html' } },
  },
  'a reset': { kind: 'reset' },
  'a reset after the work was done': { kind: 'reset', performed: true },
  'a slow body': { kind: 'slow body' },
  'truncated JSON': { kind: 'truncated' },
  'truncated JSON after the work was done': { kind: 'truncated', performed: true },
  'a body that is cut off': { kind: 'cut off' },
}

/** What GitHub means by it would be meant the next time, too; everything else may go better then. */
export function isFinal(name: string): boolean {
  return /^(403 without|404|422)/.test(name)
}

/** Whether each fault is tried at each call, which takes an hour (FAULTS=all npm test); otherwise a part of that is. */
const isEverything = process.env.FAULTS === 'all'

/**
 * Faults and calls that are tried with one another: each fault at every n-th call, from another one on for each, so that none of
 * both is left out.
 *
 * @param calls - What is asked, in order.
 * @returns The fault, its name, and the place of the call.
 */
export function spread(
  faults: readonly (readonly [string, Fault])[],
  calls: readonly string[],
  n: number,
): readonly { readonly name: string; readonly fault: Fault; readonly place: number; readonly call: string }[] {
  return faults.flatMap(([name, fault], turn) =>
    calls.flatMap((call, place) => (isEverything || (place + turn) % n === 0 ? [{ name, fault, place, call }] : [])),
  )
}

function refusal(status: number, message: string, headers: Reply['headers'] = {}): Fault {
  return { kind: 'reply', reply: { status, body: { message }, headers } }
}

export function faultyReply(response: ServerResponse, fault: Fault, { status, body, headers }: Reply): void {
  const type = { 'content-type': 'application/json; charset=utf-8' }
  const own = body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body ?? {}))
  const text = fault.performed ? own : Buffer.from('{"message": "All is well", "more": "to come"}')
  const half = text.subarray(0, Math.ceil(text.length / 2))
  switch (fault.kind) {
    case 'reply': {
      const { reply } = fault
      response.writeHead(reply.status, { ...type, ...reply.headers })
      return void response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
    }
    case 'reset':
      return void response.socket?.resetAndDestroy()
    case 'slow body':
      response.writeHead(200, type)
      return void response.write(half)
    case 'truncated':
      return void response
        .writeHead(fault.performed && status !== 204 ? status : 200, { ...type, ...headers })
        .end(half)
    case 'cut off':
      response.writeHead(200, { ...type, 'content-length': text.length })
      return void response.write(half, () => response.socket?.resetAndDestroy())
  }
}
