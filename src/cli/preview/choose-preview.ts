/**
 * Which way of showing pictures the terminal has, by its environment alone: asking the terminal itself would steal
 * what is typed meanwhile.
 */

export const previewModes = ['auto', 'none', 'kitty', 'iterm', 'sixel', 'blocks'] as const
export type PreviewMode = (typeof previewModes)[number]
export type PreviewProtocol = Exclude<PreviewMode, 'auto' | 'none'>

export interface PreviewSituation {
  env: NodeJS.ProcessEnv
  /** Are stdout and stderr both a terminal? */
  isTerminal: boolean
  /** `--json` or `--quiet` */
  silent: boolean
}

/** The protocol to use, or undefined for no preview. A mode that is named is used wherever it is asked for. */
export function choosePreview(mode: PreviewMode, situation: PreviewSituation): PreviewProtocol | undefined {
  if (mode === 'none' || situation.silent) return undefined
  if (mode !== 'auto') return mode
  const { env, isTerminal } = situation
  const term = env.TERM ?? ''
  if (!isTerminal || term === 'dumb' || (env.CI && env.CI !== 'false')) return undefined

  // Multiplexers pass no picture protocol reliably, and hand on the variables of the terminal around them.
  const insideMultiplexer = Boolean(env.TMUX || env.STY || env.ZELLIJ) || /^(screen|tmux)/.test(term)
  if (insideMultiplexer) return blocksWhereColoured(env)
  const program = env.TERM_PROGRAM ?? ''
  if (env.KITTY_WINDOW_ID || /kitty|ghostty/i.test(term) || program === 'ghostty') return 'kitty'
  if (program === 'iTerm.app' || program === 'WezTerm' || env.LC_TERMINAL === 'iTerm2') return 'iterm'
  if (/^(foot|mlterm)|sixel/.test(term)) return 'sixel'
  return blocksWhereColoured(env)
}

/** Blocks are made of 24-bit colours; a terminal without them would show noise. */
function blocksWhereColoured(env: NodeJS.ProcessEnv): 'blocks' | undefined {
  if (env.NO_COLOR) return undefined
  return /^(truecolor|24bit)$/.test(env.COLORTERM ?? '') || env.WT_SESSION ? 'blocks' : undefined
}
