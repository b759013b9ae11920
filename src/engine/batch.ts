/**
 * One batch of rows of equal length in a buffer that is used again and again. Rows that are missing from a full batch
 * repeat the last one: the batch always has one size, for some kernels change the last bit with it.
 */
export function fillRows(
  buffer: Float32Array,
  width: number,
  rows: number,
  rowAt: (index: number) => Float32Array,
): void {
  const batch = buffer.length / width
  for (let i = 0; i < rows; i++) {
    const row = rowAt(i)
    if (row.length !== width)
      throw new RangeError(`A row of ${row.length} values does not fit a batch of ${width} each.`)
    buffer.set(row, i * width)
  }
  for (let i = rows; i < batch; i++) buffer.copyWithin(i * width, (rows - 1) * width, rows * width)
}
