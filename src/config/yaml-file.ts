/**
 * Reads `gesso.yaml` so that a problem can be told with its line: the values, and where each one stands.
 * `${VAR}` inside a value reads the environment; the file itself never holds a secret.
 */
import { readFileSync } from 'node:fs'
import { isNode, LineCounter, parseDocument, visit } from 'yaml'
import type { ConfigProblem } from './config-error.ts'
import type { SettingPath } from './environment.ts'

export interface YamlFile {
  values: unknown
  problems: ConfigProblem[]
  /** The line of the value at a path. */
  lineOf(path: SettingPath): number | undefined
  /** The line of the value at a path, or of the nearest one around it. */
  nearestLine(path: SettingPath): number | undefined
}

/** A file that says nothing. */
export const emptyFile: YamlFile = {
  values: {},
  problems: [],
  lineOf: () => undefined,
  nearestLine: () => undefined,
}

/** Parses a configuration file; a missing variable and a syntax error are problems, not exceptions. */
export function readYamlFile(file: string, env: NodeJS.ProcessEnv): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines, prettyErrors: false })
  const problems: ConfigProblem[] = document.errors.map((error) => ({
    source: `${file}:${lines.linePos(error.pos[0]).line}`,
    setting: '',
    expected: `valid YAML (${error.message.split('\n')[0]})`,
  }))
  if (problems.length > 0) return { ...emptyFile, problems }

  visit(document, {
    Scalar(_key, node) {
      if (typeof node.value !== 'string') return
      node.value = node.value.replace(/\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_match, name: string) => {
        const value = env[name]
        if (value !== undefined) return value
        problems.push({
          source: `${file}:${node.range ? lines.linePos(node.range[0]).line : 1}`,
          setting: `\${${name}}`,
          expected: `the environment variable ${name} to be set`,
        })
        return ''
      })
    },
  })

  const lineOf = (path: SettingPath) => {
    const node = document.getIn(path, true)
    const range = isNode(node) ? node.range : undefined
    return range ? lines.linePos(range[0]).line : undefined
  }
  let values: unknown
  try {
    values = document.toJS() ?? {}
  } catch {
    // `*name` without its `&name`: a value that begins with an asterisk and is not in quotes. It may be a key.
    const expected = 'values that begin with * to stand in quotes, or to repeat one that is marked with &'
    return { ...emptyFile, problems: [...problems, { source: file, setting: '', expected }] }
  }
  return {
    values,
    problems,
    lineOf,
    nearestLine(path) {
      for (let length = path.length; length > 0; length--) {
        const line = lineOf(path.slice(0, length))
        if (line !== undefined) return line
      }
      return undefined
    },
  }
}
