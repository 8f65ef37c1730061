#!/usr/bin/env node
/*
 * Adds to package-lock.json the platform packages that a registry without them made `npm install` leave out.
 *
 * A package such as chdb names one optional package per platform, all of one version. Where a mirror lacks the other
 * platforms' packages, npm writes a lockfile without them, and `npm ci` then refuses that lockfile everywhere. They are never
 * fetched on another platform, so name, version, os and cpu are all that has to stand there. Plain Node 20: it must run before
 * anything is installed. Run it after every change of dependencies: `npm run lockfile`.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const systems = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32']
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'wasm32', 'x64']

const file = new URL('../package-lock.json', import.meta.url)
const lock = JSON.parse(readFileSync(file, 'utf8'))
const added = []
for (const [path, entry] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const own = `${path === '' ? '' : `${path}/`}node_modules/${name}`
    const key = `node_modules/${name}`
    if (own in lock.packages || key in lock.packages || path === '') continue
    lock.packages[key] = { version, ...platformOf(name), ...(entry.dev && { dev: true }), optional: true }
    added.push(`${name}@${version}`)
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)))
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(added.length === 0 ? 'the lockfile is complete' : added.map((what) => `added ${what}`).join('\n'))

/** The platform a package is for, from its name; one that names none is an error, since npm would try to fetch it. */
function platformOf(name) {
  const words = name.split(/[/-]/)
  const os = systems.find((system) => words.includes(system))
  const cpu = processors.find((processor) => words.some((word) => word === processor || word === `${processor}-msvc`))
  if (os === undefined && cpu === undefined) throw new Error(`cannot tell the platform of ${name}`)
  const libc = words.includes('musl') ? ['musl'] : words.includes('gnu') ? ['glibc'] : undefined
  return { ...(cpu && { cpu: [cpu] }), ...(libc && os === 'linux' && { libc }), ...(os && { os: [os] }) }
}
