/** Runs the command line; nothing else. */
import { runCommandLine } from './cli/program.ts'

await runCommandLine(process.argv)
