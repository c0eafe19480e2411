/**
 * The only reader of the environment and of `gesso.yaml`. Puts the file, then the environment, through one
 * schema, and reports everything that is wrong at once; nothing starts on a half-good configuration.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { providerDefinitions } from '../providers/registry.ts'
import { providerOddities } from '../providers/settings.ts'
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
    // What holds nothing but blanks is a placeholder that nobody filled in.
    if (value === undefined || value.trim() === '' || !values) continue
    if (setIn(values, path, value)) fromEnvironment.set(path.join('.'), variable)
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
    warnings: [
      ...unknownVariables(env).map((name) => `${name} is set, but Gesso has no such variable`),
      ...providerDefinitions.flatMap((one) => providerOddities(one, parsed.data.providers[one.id])),
    ],
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
  const value = getIn(values, path)
  const wantsSettings = issue.code === 'invalid_type' && /^(object|record)$/.test(issue.expected)
  const found = wantsSettings ? kindOf(value) : excerpt(value, path)
  return [{ source: sourceOf(path), setting: path.join('.'), expected: expectedBy(issue), found }]
}

/** The words of the schema; those of its library are for programmers. */
function expectedBy({ code, message }: z.core.$ZodIssue): string {
  if (!message.startsWith('Invalid input')) return message
  return code === 'invalid_type' ? 'settings as `name: value` lines' : 'another value'
}

/** The value that was found, short enough for a line; the value of anything secret is not shown. */
function excerpt(value: unknown, path: SettingPath): string {
  if (value === undefined || value === null) return 'nothing'
  if (value === '') return 'an empty text'
  if (/key|secret|password|token|url$/.test(String(path.at(-1)))) return 'another value (not shown)'
  // Whole sections may have secrets in them, wherever they were put.
  if ([value].flat().some((one) => typeof one === 'object')) return kindOf(value)
  const shown = JSON.stringify(value) ?? String(value)
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown
}

/** What stands where settings belong may be a key that lost its name, so only its kind is told. */
function kindOf(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'settings' : 'a single value (not shown)'
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined
}

function getIn(value: unknown, path: SettingPath): unknown {
  return path.reduce<unknown>((at, key) => (at as Record<string | number, unknown> | undefined)?.[key], value)
}

/** Answers false where the file has something else in the place of a section, for the schema to complain of. */
function setIn(root: Record<string, unknown>, path: SettingPath, value: string): boolean {
  let at = root
  for (const key of path.slice(0, -1)) {
    const section = asRecord(at[key] ?? {})
    if (!section) return false
    at[key] = section
    at = section
  }
  at[String(path.at(-1))] = value
  return true
}
