/**
 * One suite. Two processes share the files, as the smallest machine has two cores; a process takes one file after the
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
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
})
