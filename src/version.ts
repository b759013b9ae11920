/** As in package.json; a test keeps the two the same. */
export const version = '0.1.0'

/** Of onnxruntime-node, likewise: other versions may give other last bits. */
export const engineVersion = '1.30.0'
