/** Shows a picture in the terminal, on stderr: stdout belongs to the result. Never fails a command. */

import { choosePreview, type PreviewMode, type PreviewProtocol } from './choose-preview.ts'
import type { PreviewInput } from './preview-input.ts'

/** At most this part of the terminal's height is used. */
const heightShare = 0.4

/** Shows it where the mode and the terminal allow. */
export async function showPreview(
  bytes: Buffer,
  options: { mode: PreviewMode; env: NodeJS.ProcessEnv; silent: boolean },
): Promise<void> {
  const { stdout, stderr } = process
  const protocol = choosePreview(options.mode, {
    env: options.env,
    silent: options.silent,
    isTerminal: stdout.isTTY === true && stderr.isTTY === true,
  })
  if (protocol === undefined) return
  const columns = Math.max(2, (stderr.columns || 80) - 1)
  const rows = Math.max(2, Math.floor((stderr.rows || 24) * heightShare))
  try {
    stderr.write(await encodePreview(protocol, { bytes, columns, rows }))
  } catch {
    stderr.write('The picture cannot be shown here.\n')
  }
}

/** The text that draws the picture, ending on a line of its own. */
export async function encodePreview(protocol: PreviewProtocol, input: PreviewInput): Promise<string> {
  switch (protocol) {
    case 'kitty':
      return (await import('./kitty.ts')).kitty(input)
    case 'iterm':
      return (await import('./iterm.ts')).iterm(input)
    case 'sixel':
      return (await import('./sixel.ts')).sixel(input)
    case 'blocks':
      return (await import('./blocks.ts')).blocks(input)
  }
}
