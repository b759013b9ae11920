import type { ExecutionProvider } from '../config/types.js'

/** What results call the engine they were made with: `onnxruntime 1.30.0`, or `onnxruntime 1.30.0 cuda`. */
export function engineName(version: string, executionProvider: ExecutionProvider = 'cpu'): string {
  return ['onnxruntime', version, ...(executionProvider === 'cpu' ? [] : [executionProvider])].join(' ').trimEnd()
}
