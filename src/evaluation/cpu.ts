/** By these onnxruntime chooses a kernel. */
const EXTENSIONS = ['avx2', 'avx512f', 'avx_vnni', 'avx512_vnni', 'amx_int8', 'asimd', 'asimddp', 'sve']

/**
 * Names the processor as far as it can change a result: onnxruntime picks its kernels by vector extension, and equality
 * to the bit is promised per type of processor.
 *
 * @param model as os.cpus() has it
 * @param cpuinfo text of /proc/cpuinfo, where there is one
 * @returns e.g. `AMD EPYC 9474F 48-Core Processor, avx2 avx512f avx512_vnni`
 */
export function describeCpu(model: string | undefined, cpuinfo: string | undefined): string {
  const features = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(cpuinfo ?? '')?.[1].split(/\s+/))
  const extensions = EXTENSIONS.filter((extension) => features.has(extension)).join(' ')
  const name = model?.replace(/\s+/g, ' ').trim() || 'unknown'
  return extensions === '' ? name : `${name}, ${extensions}`
}
