/**
 * One suite. Three processes share the files, because those on two cores often wait; a process takes one file after the
 * other and loads Gesso once, so a file must leave nothing behind that another could stumble over.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/setup/postgres.ts'],
    pool: 'forks',
    isolate: false,
    unstubEnvs: true,
    maxWorkers: 3,
    // What is waited for comes; how soon depends on who else works on the machine.
    expect: { poll: { timeout: 10_000 } },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
