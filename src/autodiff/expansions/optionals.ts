import type { Expansion } from '../expansion.js'

/** What is wrapped is there: an empty optional does not depend on the image, and whether one is empty is known beforehand. */
const unwrapped: Expansion = ({ inputs: [value] }) => [value]

/** Optional values, which TorchScript's functions hand around. */
export const optionals: Readonly<Record<string, Expansion>> = {
  Optional: unwrapped,
  OptionalGetElement: unwrapped,
}
