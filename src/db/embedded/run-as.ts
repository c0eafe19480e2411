/**
 * Decides as whom PostgreSQL runs. It refuses to run as root, and Gesso often is root: in a container, or on a
 * small server.
 *
 * An ordinary user runs it as itself. Root runs it inside a user namespace, where root's own files belong to
 * uid 1000: nothing is changed on the machine, and a checkout under /root is reachable. Where namespaces are
 * off, a separate system user runs it. Must never make that user before knowing that it could reach the files.
 */

import { chmod, chown, lstat, readdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { ClusterPaths } from './cluster-paths.ts'
import { nullIfMissing } from './error-code.ts'
import { CommandFailedError, type RunAs, runAsIs, runCommand } from './run-command.ts'

/** What the decision depends on. */
export interface RunAsQuestion {
  paths: ClusterPaths
  /** The `postgres` program; whoever is chosen has run it once with `--version`. */
  postgres: string
  /** Where `unshare`, `id` and `useradd` are looked up. */
  searchPath: string
}

interface SystemUser {
  name: string
  uid: number
  gid: number
}

const namespace: RunAs = { prefix: ['unshare', '--user', '--map-user=1000', '--map-group=1000'] }

/** As whom to run PostgreSQL for this data directory. Throws a sentence that names `DATABASE_URL`. */
export async function chooseRunAs(question: RunAsQuestion): Promise<RunAs> {
  if (process.getuid?.() !== 0) {
    await probe(question, runAsIs)
    return runAsIs
  }
  const cluster = await nullIfMissing(stat(question.paths.clusterDir))
  // A cluster made by an ordinary or a separate user stays that user's, also when root starts it today.
  if (cluster !== null && cluster.uid !== 0) return { prefix: [], uid: cluster.uid, gid: cluster.gid }

  const namespaceFailure = await probe(question, namespace).then(
    () => null,
    (error: unknown) => (error instanceof CommandFailedError ? error : Promise.reject(error)),
  )
  if (namespaceFailure === null) return namespace
  return await separateUser(question, namespaceFailure)
}

async function separateUser(question: RunAsQuestion, namespaceFailure: CommandFailedError): Promise<RunAs> {
  const user = await findUser(question)
  if (user === null) {
    throw new Error(
      `PostgreSQL refuses to run as root, a user namespace is not available here ` +
        `(${namespaceFailure.message.trim()}), and no other user can reach both ${question.postgres} and ` +
        `${question.paths.dataDir}. Run Gesso as an ordinary user, move it and its data directory ` +
        '(GESSO_DATA_DIR) out of private folders such as /root, or set DATABASE_URL to a PostgreSQL of your own.',
    )
  }
  const runAs: RunAs = { prefix: [], uid: user.uid, gid: user.gid }
  // The user must be able to pass through the data directory, and sees no more of it than the cluster's name.
  await chown(question.paths.dataDir, -1, user.gid)
  await chmod(question.paths.dataDir, 0o710)
  await giveTree(question.paths.clusterDir, user)
  return runAs
}

/** A user that can run the program and reach the data directory: a known one, or one made for it. */
async function findUser(question: RunAsQuestion): Promise<SystemUser | null> {
  for (const name of ['gesso', 'postgres']) {
    const user = await lookUpUser(name, question.searchPath)
    if (user !== null && (await reaches(question, user))) return user
  }
  const anyone: SystemUser = { name: 'nobody', uid: 65_534, gid: 65_534 }
  if ((await lookUpUser('gesso', question.searchPath)) !== null || !(await reaches(question, anyone)))
    return null
  try {
    const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'gesso']
    await runCommand({ command: 'useradd', args, searchPath: question.searchPath })
  } catch (error) {
    if (error instanceof CommandFailedError) return null
    throw error
  }
  return await lookUpUser('gesso', question.searchPath)
}

async function lookUpUser(name: string, searchPath: string): Promise<SystemUser | null> {
  try {
    const uid = Number(await runCommand({ command: 'id', args: ['-u', name], searchPath }))
    const gid = Number(await runCommand({ command: 'id', args: ['-g', name], searchPath }))
    return Number.isInteger(uid) && uid > 0 && Number.isInteger(gid) ? { name, uid, gid } : null
  } catch (error) {
    if (error instanceof CommandFailedError) return null
    throw error
  }
}

/** Whether a user can pass to the data directory's parent and run the program. */
async function reaches(question: RunAsQuestion, user: SystemUser): Promise<boolean> {
  const runAs: RunAs = { prefix: [], uid: user.uid, gid: user.gid }
  const script = 'cd -- "$1" && exec "$2" --version'
  const args = ['-c', script, 'sh', dirname(question.paths.dataDir), question.postgres]
  try {
    await runCommand({ command: '/bin/sh', args, runAs, cwd: '/', searchPath: question.searchPath })
    return true
  } catch (error) {
    if (error instanceof CommandFailedError) return false
    throw error
  }
}

async function probe(question: RunAsQuestion, runAs: RunAs): Promise<void> {
  try {
    const { postgres, searchPath } = question
    await runCommand({ command: postgres, args: ['--version'], runAs, searchPath, timeoutMs: 10_000 })
  } catch (error) {
    if (runAs !== runAsIs || !(error instanceof CommandFailedError)) throw error
    throw new Error(
      `The PostgreSQL that Gesso brings does not run on this machine. Set DATABASE_URL to one of your own. ` +
        `(On Linux it needs glibc; Alpine has another C library.) ${error.message}`,
      { cause: error },
    )
  }
}

/** Gives a file or a whole folder to a user; a missing one is no error. Links are not followed. */
async function giveTree(path: string, user: { uid: number; gid: number }): Promise<void> {
  const entry = await nullIfMissing(lstat(path))
  if (entry === null || entry.isSymbolicLink()) return
  if (entry.isDirectory()) for (const name of await readdir(path)) await giveTree(join(path, name), user)
  await chown(path, user.uid, user.gid)
}
