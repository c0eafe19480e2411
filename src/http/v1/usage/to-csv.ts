/**
 * Rows as a CSV file (RFC 4180) that a spreadsheet can be trusted with: a text that it would take for a formula, because
 * somebody called a key `=cmd()`, gets an apostrophe in front.
 */
type Cell = string | number | null | undefined

/** A line of the names, and one for each row. */
export function toCsv(columns: readonly string[], rows: readonly Readonly<Record<string, Cell>>[]): string {
  const lines = [columns.map(toCell), ...rows.map((row) => columns.map((column) => toCell(row[column])))]
  return lines.map((cells) => `${cells.join(',')}\r\n`).join('')
}

function toCell(value: Cell): string {
  if (typeof value === 'number') return String(value)
  const text = value ?? ''
  const harmless = /^[=+\-@\t\r\n＝＋－＠]/.test(text) ? `'${text}` : text
  return /[",;\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
