import { execFile } from 'node:child_process'
import { access, constants, readdir } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { compareVersions } from '../../services/cli/doctor/versions.ts'
import { findNatsServer } from '../../shared/runtime/find-nats-server.ts'

const run = promisify(execFile)

export interface FoundServer {
  readonly version: string
  readonly binary: string
}

/** Where `scripts/bring-nats-servers.ts` puts servers, each in a folder named by its version. */
export const newerServersDir = (): string =>
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'strikeflow', 'nats-servers')

/**
 * Every nats-server on this machine, the oldest first and one of each version: the one the stack starts, and those named by
 * `STRIKEFLOW_NATS_SERVERS` (paths, comma-separated) or, where that is not set, those in the cache.
 */
export async function findNatsServers(): Promise<readonly FoundServer[]> {
  const named = process.env['STRIKEFLOW_NATS_SERVERS']
  const others = named === undefined ? await cached(newerServersDir()) : named.split(',').filter(Boolean)
  const own = await findNatsServer()
  const found = new Map<string, FoundServer>()
  for (const binary of [...(own === null ? [] : [own]), ...others]) {
    const version = await versionOf(binary)
    if (!found.has(version)) found.set(version, { version, binary })
  }
  return [...found.values()].toSorted((a, b) => compareVersions(a.version, b.version))
}

async function cached(folder: string): Promise<readonly string[]> {
  const versions = await readdir(folder).catch(() => [])
  const binaries: string[] = []
  for (const version of versions) {
    const binary = join(folder, version, 'nats-server')
    const isThere = await access(binary, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (isThere) binaries.push(binary)
  }
  return binaries
}

/** A path that was named and does not run is a mistake, not a server less. */
async function versionOf(binary: string): Promise<string> {
  const { stdout } = await run(binary, ['-v'], { timeout: 5_000 })
  const version = /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${binary} -v said ${stdout}`)
  return version
}
