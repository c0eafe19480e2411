/**
 * `<data>/server.json`: where the server of a data directory listens, for as long as it does, so that the command
 * line finds it on any port. A killed server leaves the file behind: what it says is a hint to be checked.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ServerFile {
  url: string
  pid: number
}

/** The path of the file. */
export function serverFile(dataDirectory: string): string {
  return join(dataDirectory, 'server.json')
}

/** Writes the file, readable by this user only; it appears whole. */
export function writeServerFile(dataDirectory: string, content: ServerFile): void {
  const file = serverFile(dataDirectory)
  const temporary = `${file}.${process.pid}`
  writeFileSync(temporary, `${JSON.stringify(content)}\n`, { mode: 0o600 })
  renameSync(temporary, file)
}

/** Removes the file where it says this and nothing else: another server's stays. */
export function removeServerFile(dataDirectory: string, content: ServerFile): void {
  const found = readServerFile(dataDirectory)
  // In containers two servers may have the same process id.
  if (found?.pid === content.pid && found.url === content.url) {
    rmSync(serverFile(dataDirectory), { force: true })
  }
}

/** What the file says, or undefined where there is none, it is damaged or its process is gone. */
export function readServerFile(dataDirectory: string): ServerFile | undefined {
  try {
    const { url, pid } = JSON.parse(readFileSync(serverFile(dataDirectory), 'utf8')) as Partial<ServerFile>
    if (typeof url !== 'string' || typeof pid !== 'number' || !URL.canParse(url)) return undefined
    return isAlive(pid) ? { url, pid } : undefined
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Another user's process answers with EPERM: it lives.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
