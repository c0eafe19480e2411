/**
 * The only reader of the environment and of `gesso.yaml`. Puts the file, then the environment, through one
 * schema, and reports everything that is wrong at once; nothing starts on a half-good configuration.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { type Config, configSchema } from './config.ts'
import { ConfigError, type ConfigProblem } from './config-error.ts'
import { environmentVariables, type SettingPath, unknownVariables } from './environment.ts'
import { emptyFile, readYamlFile } from './yaml-file.ts'

export interface LoadedConfig {
  config: Config
  /** The file that was read, absent where there is none. */
  file: string | undefined
  /** Harmless oddities worth a line at start-up. */
  warnings: string[]
  /** Where a setting came from: a file and line, a variable, or `default`. */
  sourceOf(path: SettingPath): string
}

/**
 * Reads the configuration. `GESSO_CONFIG` names the file, else `gesso.yaml` in `cwd` where it exists.
 * Throws `ConfigError` with every problem.
 */
export function loadConfig(env: NodeJS.ProcessEnv, cwd: string): LoadedConfig {
  const file = configFile(env, cwd)
  const yaml = file === undefined ? emptyFile : readYamlFile(file, env)
  const fromEnvironment = new Map<string, string>()
  const values = asRecord(structuredClone(yaml.values))
  const problems = [...yaml.problems]
  if (!values) problems.push({ source: file ?? '', setting: '', expected: 'settings as `name: value` lines' })

  for (const [variable, path] of environmentVariables()) {
    const value = env[variable]
    if (value === undefined || value === '' || !values) continue
    setIn(values, path, value)
    fromEnvironment.set(path.join('.'), variable)
  }

  const sourceAt = (path: SettingPath, line: number | undefined): string =>
    fromEnvironment.get(path.join('.')) ?? (line === undefined ? 'default' : `${file}:${line}`)
  const sourceOf = (path: SettingPath) => sourceAt(path, yaml.lineOf(path))
  const nearestSource = (path: SettingPath) => sourceAt(path, yaml.nearestLine(path))

  const parsed = configSchema.safeParse(values ?? {})
  if (!parsed.success)
    problems.push(...parsed.error.issues.flatMap((issue) => toProblems(issue, values, nearestSource)))
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems)

  return {
    config: { ...parsed.data, data_dir: resolve(cwd, parsed.data.data_dir) },
    file,
    warnings: unknownVariables(env).map((name) => `${name} is set, but Gesso has no such variable`),
    sourceOf,
  }
}

function configFile(env: NodeJS.ProcessEnv, cwd: string): string | undefined {
  if (env.GESSO_CONFIG) {
    const named = resolve(cwd, env.GESSO_CONFIG)
    if (existsSync(named)) return named
    throw new ConfigError([
      { source: 'GESSO_CONFIG', setting: '', expected: `a file that exists, found ${named}` },
    ])
  }
  const usual = resolve(cwd, 'gesso.yaml')
  return existsSync(usual) ? usual : undefined
}

function toProblems(
  issue: z.core.$ZodIssue,
  values: unknown,
  sourceOf: (path: SettingPath) => string,
): ConfigProblem[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      source: sourceOf([...path, key]),
      setting: [...path, key].join('.'),
      expected: 'no such setting here',
    }))
  }
  const expected = issue.message === 'Invalid input' ? 'another value' : issue.message
  return [
    { source: sourceOf(path), setting: path.join('.'), expected, found: excerpt(getIn(values, path), path) },
  ]
}

/** The value that was found, short enough for a line; the value of anything secret is not shown. */
function excerpt(value: unknown, path: SettingPath): string {
  if (value === undefined) return 'nothing'
  if (/key|secret|password|token|url$/.test(String(path.at(-1)))) return 'another value (not shown)'
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function getIn(value: unknown, path: SettingPath): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], value)
}

function setIn(root: Record<string, unknown>, path: SettingPath, value: string): void {
  let at = root
  for (const key of path.slice(0, -1)) {
    at[key] = asRecord(at[key]) ?? {}
    at = at[key] as Record<string, unknown>
  }
  at[String(path.at(-1))] = value
}
