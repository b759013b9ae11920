/** What a file that is not ONNX looks like, and what to do about it. */
interface Lookalike {
  readonly what: string
  readonly advice: string
  readonly matches: (start: string) => boolean
}

const EXPORT = 'export the model to ONNX'

/** Tried in this order on the first bytes, read as Latin-1. */
const LOOKALIKES: readonly Lookalike[] = [
  { what: 'is empty', advice: 'export the model again', matches: (start) => start === '' },
  {
    what: 'is a Git LFS pointer, not the model',
    advice: 'fetch it with `git lfs pull`, or check out with `lfs: true`',
    matches: (start) => start.startsWith('version https://git-lfs.github.com/spec/'),
  },
  {
    what: 'is an HTML page',
    advice: 'the download link did not lead to the file itself; download the model again',
    matches: (start) => /^\s*<(!doctype|html|\?xml|head|body)/i.test(start),
  },
  {
    what: 'is a zip archive (a PyTorch checkpoint or a Keras file?)',
    advice: EXPORT,
    matches: (start) => start.startsWith('PK\x03\x04'),
  },
  {
    what: 'is a Python pickle',
    advice: EXPORT,
    matches: (start) => start.startsWith('\x80') && '\x02\x03\x04\x05'.includes(start.charAt(1)),
  },
  { what: 'is an HDF5 file (Keras?)', advice: EXPORT, matches: (start) => start.startsWith('\x89HDF') },
  { what: 'is gzip-compressed', advice: 'unpack it first', matches: (start) => start.startsWith('\x1f\x8b') },
  { what: 'is a TensorFlow Lite model', advice: EXPORT, matches: (start) => start.slice(4, 8) === 'TFL3' },
  {
    what: "is in onnxruntime's own format (.ort)",
    advice: 'give the .onnx file it was made from',
    matches: (start) => start.slice(4, 8) === 'ORTM',
  },
  {
    what: 'is a safetensors file, which holds weights but no graph',
    advice: EXPORT,
    matches: (start) => start.slice(8, 10) === '{"',
  },
  { what: 'is JSON text', advice: 'give the .onnx file', matches: (start) => /^\s*[{[]/.test(start) },
]

/** One sentence about bytes that could not be read as a model: what they look like, and what to do. */
export function describeNonModel(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 256)).toString('latin1')
  const found = LOOKALIKES.find(({ matches }) => matches(start))
  if (found) return `${found.what}; ${found.advice}`
  return 'is not an ONNX model, or is damaged or cut short; export or download it again'
}
