/** Every problem of a configuration at once, each with where it stands and what would be right. */

export interface ConfigProblem {
  /** `gesso.yaml:12`, or the environment variable's name. */
  source: string
  /** The path in `gesso.yaml`, such as `server.port`; empty where the file itself is at fault. */
  setting: string
  /** What a good value looks like. */
  expected: string
  /** What was found, shortened; never a secret. */
  found?: string
}

export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  constructor(problems: readonly ConfigProblem[]) {
    super(
      `The configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems.map(sentence).join('\n')}`,
    )
    this.problems = problems
  }
}

function sentence(problem: ConfigProblem): string {
  const what = problem.setting === '' ? '' : ` ${problem.setting}:`
  const found = problem.found === undefined ? '' : `, found ${problem.found}`
  return `  ${problem.source}:${what} expected ${problem.expected}${found}`
}
