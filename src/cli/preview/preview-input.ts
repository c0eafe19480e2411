/** What every protocol is given: the bytes, and the columns and rows it may fill. */
export interface PreviewInput {
  bytes: Buffer
  columns: number
  rows: number
}
