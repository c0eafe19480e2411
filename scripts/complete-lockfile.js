// Adds to package-lock.json the packages for other platforms that a registry mirror did not have.
//
// npm leaves an optional package that it cannot find out of the lockfile without a word, and `npm ci` then refuses
// the lockfile on every machine. The entries added here have a version and a platform and no checksum; they are
// fetched only where the platform fits. Run it after adding a package: `node scripts/complete-lockfile.js`.
import { readFileSync, writeFileSync } from 'node:fs'

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))

const systems = [
  'android',
  'darwin',
  'linux',
  'win32',
  'freebsd',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
  'openharmony',
]
const processors = {
  arm64: 'arm64',
  x64: 'x64',
  ia32: 'ia32',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
}
const moreProcessors = {
  loong64: 'loong64',
  mips64el: 'mips64el',
  wasm32: 'wasm32',
  armv6: 'arm',
  arm: 'arm',
}

/** What a package's name says of the platform it is for, as its own manifest would. */
function platformOf(name) {
  const found = Object.entries({ ...processors, ...moreProcessors }).find(([word]) => name.includes(word))
  const os = systems.filter(
    (system) =>
      name.includes(system.replace('win32', 'win')) && !(system === 'win32' && name.includes('darwin')),
  )
  const libc = name.includes('musl') ? ['musl'] : name.includes('gnu') ? ['glibc'] : undefined
  return {
    ...(found ? { cpu: [found[1]] } : {}),
    ...(os.length > 0 ? { os } : {}),
    ...(libc ? { libc } : {}),
  }
}

/** Is the package where Node would look for it from `path`? */
function isLocked(path, name) {
  for (let at = path; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]) return true
    if (at === '' || !at.includes('/node_modules/')) return Boolean(lock.packages[`node_modules/${name}`])
  }
}

let added = 0
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (isLocked(path, name)) continue
    const platform = platformOf(name)
    if (!platform.os && !platform.cpu) continue
    const version = range.replace(/^[\^~]/, '')
    lock.packages[`node_modules/${name}`] = {
      version,
      ...(entry.dev ? { dev: true } : {}),
      optional: true,
      ...platform,
    }
    added++
  }
}
const { '': root, ...rest } = lock.packages
lock.packages = { '': root, ...Object.fromEntries(Object.entries(rest).sort(([a], [b]) => (a < b ? -1 : 1))) }
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
process.stdout.write(`${added} packages for other platforms added\n`)
