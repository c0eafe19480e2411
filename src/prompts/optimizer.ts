/**
 * The seam of prompt optimisation: a prompt goes in, a richer one for the same picture comes out. It never
 * throws and never takes longer than it was given, because a failed rewrite must not cost anybody a picture.
 */

/** A prompt, and what became of it. Both are the same where nothing was to be added. */
export interface OptimizedPrompt {
  original: string
  optimized: string
  /** Who rewrote it, in the words of the settings. */
  model: string
}

export interface OptimizeOptions {
  /** The most characters (Unicode code points) that the image model takes. */
  maxCharacters: number
  /** The prompt asks for a change to pictures that come with it. */
  isEdit: boolean
  /** Ends the rewriting, which then counts as failed. */
  signal: AbortSignal
}

/** `failure` is a sentence for the caller, without secrets and without a word of the model that failed. */
export type Optimization = { prompt: OptimizedPrompt } | { failure: string }

export interface PromptOptimizer {
  optimize(prompt: string, options: OptimizeOptions): Promise<Optimization>
}
