#!/usr/bin/env node
// Finds a Node that can run Gesso, then runs it. Plain JavaScript that any Node understands: on an old one it
// hands over to the checkout's own `node` package, or says in a sentence what is missing.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import * as modules from 'node:module'
import { constants } from 'node:os'
import { fileURLToPath } from 'node:url'

const needed = 24
const built = new URL('../dist/main.js', import.meta.url)
const main = existsSync(new URL('../src/main.ts', import.meta.url))
  ? new URL('../src/main.ts', import.meta.url)
  : built

if (Number(process.versions.node.split('.')[0]) >= needed) {
  // Half a second of each start is compiling. The cache lies with the packages, where only their owner writes.
  modules.enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/gesso', import.meta.url)))
  await import(main.href)
} else {
  const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
  if (!existsSync(own)) {
    console.error(
      `Gesso needs Node ${needed} or newer; this is ${process.version}. Run "npm ci" in its folder, or install a newer Node.`,
    )
    process.exit(1)
  }
  const child = spawn(own, process.argv.slice(1), { stdio: 'inherit' })
  // The terminal sends Ctrl-C to both; only the child decides when it is done.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
}
