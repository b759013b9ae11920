import type { PinnedPackage } from './fetchAddon.js'

/** Written by scripts/pinnedRuntime.mjs from package-lock.json. */
export const pinnedPackage: PinnedPackage = {
  name: 'onnxruntime-node',
  version: '1.30.0',
  integrity: 'sha512-twhs1C2C/BFkz1yc5OY0KIU2GUq6DURO7hD4bx5Q2Qy3nAMJwRXW8xU3NVczE29VA9lolLOYepoD8fjTGOfIqw==',
}
