import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'

const VECTOR_EXTENSIONS = ['avx512f', 'avx2', 'avx', 'neon', 'asimd']

/**
 * Names the processor as far as it can change a result: onnxruntime picks its kernels by vector extension, and equality
 * to the bit is promised per type of processor.
 *
 * @param model as os.cpus() has it
 * @param cpuinfo text of /proc/cpuinfo, where there is one
 * @returns e.g. `AMD EPYC 7763 64-Core Processor, avx2`
 */
export function describeCpu(model: string | undefined, cpuinfo: string | undefined): string {
  const features = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo ?? '')?.[1].split(/\s+/))
  const widest = VECTOR_EXTENSIONS.find((extension) => features.has(extension))
  return [model?.replace(/\s+/g, ' ').trim() || 'unknown', widest].filter((part) => part !== undefined).join(', ')
}

/** This machine's. */
export function thisCpu(): string {
  return describeCpu(cpus()[0]?.model, readText('/proc/cpuinfo'))
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    // Only Linux has it.
    return undefined
  }
}
