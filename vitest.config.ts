/**
 * One suite. Three processes share the files, because those on two cores often wait; a process takes one file after the
 * other and loads Gesso once, so a file must leave nothing behind that another could stumble over.
 */
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** Those that start whole servers take longest: begun last, each would keep the others waiting. */
const longest = [
  'test/end-to-end/start.test.ts',
  'src/db/embedded/open-embedded-postgres.test.ts',
  'test/end-to-end/crash.test.ts',
  'test/end-to-end/cli-alone.test.ts',
  'test/end-to-end/input-memory.test.ts',
  'test/end-to-end/cli.test.ts',
  'test/end-to-end/edits.test.ts',
  'test/end-to-end/resume.test.ts',
  'src/db/embedded/cluster-claim.test.ts',
]

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const found = longest.findIndex((path) => moduleId.endsWith(path))
      return found < 0 ? longest.length : found
    }
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/setup/postgres.ts'],
    pool: 'forks',
    isolate: false,
    unstubEnvs: true,
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
