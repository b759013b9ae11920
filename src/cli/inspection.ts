/** What a child found in a model, for people. */
export function inspectionText(inspection: unknown): string {
  return JSON.stringify(inspection, null, 2)
}
