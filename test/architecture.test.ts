/**
 * The walls of the house. Reads every import of `src/` and fails on an arrow drawn the wrong way, naming the line;
 * so does a cycle, an import that leaves the house, and a document that cites a path which does not exist.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '..')

interface Import {
  from: string
  line: number
  /** A path below `src/`, or a package's name. */
  to: string
}

/** Rules in words: which files a rule is about, and what they may import. A file takes the first rule that fits. */
const rules: { about: RegExp; may: RegExp[]; because: string }[] = [
  { about: /^lib\//, may: [/^lib\//], because: 'lib imports nothing from src' },
  { about: /\.test\.ts$|\/testing\//, may: [/./], because: '' },
  {
    about: /\/settings\.ts$/,
    may: [/^lib\//, /\/settings\.ts$/, /^providers\/(registry|provider)\.ts$/, /^models\//, /^net\//],
    because: 'settings are a leaf of their owner',
  },
  {
    about: /^config\//,
    may: [/^config\//, /^lib\//, /\/settings\.ts$/, /^providers\/(registry|provider)\.ts$/],
    because: 'config sums settings and runs nothing',
  },
  { about: /^media\//, may: [/^media\//, /^lib\//], because: 'media knows pixels only' },
  { about: /^net\//, may: [/^net\//, /^lib\//], because: 'net knows addresses only' },
  {
    about: /^objects\//,
    may: [/^objects\//, /^lib\//],
    because: 'objects keeps bytes under keys and knows nothing of them',
  },
  {
    about: /^inputs\//,
    may: [/^inputs\//, /^lib\//],
    because: 'inputs keeps bytes for a while and knows nothing of them',
  },
  {
    about: /^prompts\//,
    may: [/^prompts\//, /^providers\/(http|provider-error)\.ts$/, /^lib\//],
    because: 'prompts knows words and how to ask a chat model',
  },
  { about: /^db\//, may: [/^db\//, /^lib\//], because: 'db knows no capability' },
  {
    about: /^providers\/registry\.ts$/,
    may: [/^providers\//, /^lib\//],
    because: 'the registry lists providers',
  },
  {
    about: /^providers\/([^/]+)\//,
    may: [/^providers\/$1\//, /^providers\/[^/]+\.ts$/, /^lib\//],
    because:
      'a provider folder imports the seam, its HTTP and lib: no database, no config, no other provider',
  },
  {
    about: /^providers\//,
    may: [/^providers\/[^/]+\.ts$/, /^lib\//],
    because: 'the seam knows no concrete provider',
  },
  {
    about: /^models\/catalogue\/routes\/([^/]+)\.ts$/,
    may: [/^models\//, /^providers\/[^/]+\/[^/]+-pixels\.ts$/, /^lib\//],
    because: 'routes are data, and what a vendor draws is written down once, beside its adapter',
  },
  {
    about: /^models\//,
    may: [/^models\//, /^providers\/provider\.ts$/, /^lib\//],
    because: 'models are data about providers’ fields',
  },
  {
    about: /^pricing\//,
    may: [/^pricing\//, /^models\//, /^lib\//],
    because: 'pricing is arithmetic on prices',
  },
  { about: /^audit\//, may: [/^audit\//, /^db\//, /^lib\//], because: 'the audit log is rows about rows' },
  { about: /^keys\//, may: [/^(keys|audit|db|lib)\//], because: 'keys are rows' },
  {
    about: /^accounts\//,
    may: [/^(accounts|keys|audit|db|lib)\//],
    because: 'accounts are rows, and have keys’ limits',
  },
  {
    about: /^(ledger|provider-keys|usage)\//,
    may: [/^$1\//, /^(accounts|audit|db|lib)\//],
    because: 'what belongs to an account is rows',
  },
  { about: /^images\//, may: [/^images\//, /^db\//, /^lib\//], because: 'images are rows and links' },
  {
    about: /^tasks\//,
    may: [/^tasks\//, /^images\//, /^keys\/scopes\.ts$/, /^db\//, /^lib\//],
    because: 'tasks are rows; the story of a generation is not theirs',
  },
  {
    about: /^generation\//,
    may: [
      /^generation\//,
      /^(tasks|images|keys|models|pricing|media|net|inputs|db|lib)\//,
      /^prompts\/optimizer\.ts$/,
      /^providers\/(provider|provider-error|request-secrets)\.ts$/,
      /^objects\/object-store\.ts$/,
    ],
    because: 'the core knows seams, not implementations, and no HTTP',
  },
  {
    about: /^http\//,
    may: [
      /^http\//,
      /^(generation|tasks|images|keys|accounts|audit|ledger|usage|provider-keys|models|pricing|inputs|lib)\//,
      /^objects\/object-store\.ts$/,
    ],
    because: 'http calls verbs: no SQL, no provider, no store',
  },
  {
    about: /^telemetry\//,
    may: [/^telemetry\//, /^generation\/events\.ts$/, /^lib\//],
    because: 'telemetry listens',
  },
  {
    about: /^cli\//,
    may: [
      /^(cli|config|keys|audit|ledger|lib|media)\//,
      /^app\.ts$/,
      /^db\/(open-configured-database|migrate|embedded\/(open-embedded-postgres|cluster-paths))\.ts$/,
      /^accounts\//,
      /^objects\/disk\.ts$/,
      /^providers\/(registry|open-providers|provider)\.ts$/,
      /^models\/(catalogue|describe-model)\.ts$/,
    ],
    because: 'cli calls verbs',
  },
  {
    about: /^(app|operator)\.ts$/,
    may: [/^(?!cli\/|main)/],
    because: 'app builds everything, cli starts it',
  },
  { about: /^main\.ts$/, may: [/^cli\//], because: 'main runs the command line, nothing else' },
]

/** Packages that only one folder may import. */
const ownedPackages: Record<string, RegExp> = {
  sharp: /^media\//,
  fastify: /^http\//,
  '@fastify/busboy': /^http\//,
  '@fastify/swagger': /^http\//,
  pg: /^db\//,
  commander: /^cli\//,
  undici: /^(net|providers|cli)\//,
  yaml: /^config\//,
  pino: /^telemetry\//,
  '@iconify-json/noto': /^providers\/collage\//,
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g
  for (const match of text.matchAll(pattern)) {
    const target = match[1] ?? match[2] ?? match[3] ?? ''
    const line = text.slice(0, match.index + match[0].indexOf(target)).split('\n').length
    const to = target.startsWith('.') ? relative('/', resolve('/', dirname(file), target)) : target
    found.push({ from: file, line, to })
  }
  return found
}

/** The lines that draw an arrow the wrong way. `files` maps paths below `src/` to their text. */
function wrongArrows(files: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = []
  for (const [file, text] of files) {
    const isTest = /\.test\.ts$|\/testing\//.test(file)
    for (const { from, line, to } of importsOf(file, text)) {
      const at = `src/${from}:${line} imports ${to}`
      if (!/\.(ts|json)$/.test(to)) {
        const name = to.startsWith('@') ? to.split('/').slice(0, 2).join('/') : (to.split('/')[0] ?? '')
        const owner = ownedPackages[name]
        if (owner && !owner.test(from) && !isTest) wrong.push(`${at}: only ${owner.source} may`)
        continue
      }
      const rule = rules.find((one) => one.about.test(from))
      const group = rule?.about.exec(from)?.[1] ?? ''
      const allowed = rule?.may.some((one) => new RegExp(one.source.replaceAll('$1', group)).test(to))
      if (!allowed) wrong.push(`${at}: ${rule?.because ?? 'no rule is about this file: give its folder one'}`)
    }
  }
  return wrong
}

/** The first cycle among the files, as a list of paths; type-only imports count. */
function findCycle(files: ReadonlyMap<string, string>): string[] | undefined {
  const done = new Set<string>()
  const path: string[] = []
  const visit = (file: string): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return undefined
    path.push(file)
    for (const { to } of importsOf(file, files.get(file) ?? '')) {
      const cycle = files.has(to) ? visit(to) : undefined
      if (cycle) return cycle
    }
    path.pop()
    done.add(file)
    return undefined
  }
  for (const file of files.keys()) {
    const cycle = visit(file)
    if (cycle) return cycle
  }
  return undefined
}

function sources(): Map<string, string> {
  const folder = join(root, 'src')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  )
  return new Map(files.sort().map((file) => [file, readFileSync(join(folder, file), 'utf8')]))
}

describe('the house', () => {
  test('no arrow is drawn the wrong way', () => {
    expect(wrongArrows(sources())).toEqual([])
  })

  test('no cycles, type-only ones included', () => {
    expect(findCycle(sources())?.join(' -> ')).toBeUndefined()
  })

  test('the environment is read by the command line and handed to config; nobody else looks', () => {
    const readers = [...sources()]
      .filter(([file, text]) => /process\.env/.test(text) && !/\.test\.ts$|\/testing\//.test(file))
      .map(([file]) => file)
    // The samples of the documentation show how a client reads its own environment.
    expect(readers.filter((file) => !/^(config|cli|http\/docs-page)\//.test(file))).toEqual([])
  })

  test('no file of code is longer than 400 lines', () => {
    const long = [...sources()]
      .filter(([file, text]) => text.split('\n').length > 400 && !/\.test\.ts$/.test(file))
      .map(([file]) => file)
    expect(long).toEqual([])
  })

  test('every file opens by saying what it is', () => {
    const silent = [...sources()]
      .filter(([file, text]) => !/\.test\.ts$/.test(file) && !text.startsWith('/**'))
      .map(([file]) => file)
    expect(silent).toEqual([])
  })

  test('the documents cite only paths that exist', () => {
    const missing = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'].flatMap(
      (document) => {
        const text = readFileSync(join(root, document), 'utf8')
        const cited = [...text.matchAll(/`((?:src|test|bench|bin|docs|web|examples)\/[\w./-]+)`/g)].map(
          (match) => match[1] ?? '',
        )
        return cited.filter((path) => !existsSync(join(root, path))).map((path) => `${document}: ${path}`)
      },
    )
    expect(missing).toEqual([])
  })
})

describe('the guard itself', () => {
  const file = (path: string, target: string) =>
    new Map([[path, `/** x */\nimport { a } from '${target}'\n`]])

  test.each([
    ['a provider that reaches for the database', 'providers/acme/acme.ts', '../../db/open-database.ts'],
    ['a provider that imports another', 'providers/acme/acme.ts', '../openai/openai.ts'],
    ['the core that knows HTTP', 'generation/run.ts', '../http/errors.ts'],
    ['the core that knows a concrete store', 'generation/run.ts', '../objects/disk.ts'],
    ['http that talks to the database', 'http/v1/images/generate.ts', '../../../db/open-database.ts'],
    ['lib that imports from src', 'lib/ids.ts', '../keys/scopes.ts'],
    ['sharp outside media', 'generation/run.ts', 'sharp'],
    ['pg outside db', 'tasks/node.ts', 'pg'],
    ['a folder without a rule', 'newcomer/thing.ts', '../lib/ids.ts'],
  ])('catches %s, and names the line', (_name, path, target) => {
    expect(wrongArrows(file(path, target))).toEqual([expect.stringContaining(`src/${path}:2 imports `)])
  })

  test('lets the right arrows through, type-only and dynamic imports included', () => {
    expect(wrongArrows(file('generation/run.ts', '../providers/provider.ts'))).toEqual([])
    const dynamic = new Map([
      ['http/server.ts', `/** x */\nconst db = await import('../db/open-database.ts')\n`],
    ])
    expect(wrongArrows(dynamic)).toHaveLength(1)
    const typeOnly = new Map([['lib/ids.ts', `/** x */\nimport type { Scope } from '../keys/scopes.ts'\n`]])
    expect(wrongArrows(typeOnly)).toHaveLength(1)
  })

  test('finds a cycle of types', () => {
    const files = new Map([
      ['lib/a.ts', `import type { B } from './b.ts'\n`],
      ['lib/b.ts', `import type { A } from './a.ts'\n`],
    ])
    expect(findCycle(files)).toEqual(['lib/a.ts', 'lib/b.ts', 'lib/a.ts'])
  })
})
