import { z } from 'zod'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { integer, list } from '../../shared/runtime/config.ts'
import { isLoopbackHost } from '../../shared/runtime/request-guard.ts'
import { readPasswordFile } from '../../shared/runtime/secrets.ts'
import type { AccessOptions } from './access.ts'

/** Settings under the prefix `API`. */
export const apiSettings = z.object({
  /** On any other address than loopback, reading needs the secret of `readSecretFile`. */
  host: z.string().min(1).default('127.0.0.1'),
  /** Host names, besides those of loopback, under which a loopback port may be asked, as by a proxy on this machine. */
  allowedHosts: list().default([]),
  /** File with the secret that lets somebody read where `host` is not loopback. */
  readSecretFile: z.string().min(1).optional(),
  /** File with the secret for routes that change something. */
  writeSecretFile: z.string().min(1).optional(),
  /** Port 0 picks a free one. */
  port: integer(0, 65_535).default(8061),
  /** Where the exporter writes; the exporter's `EXPORTER_DIRECTORY`. */
  directory: z.string().min(1).default('data/exports'),
  /** How often the files are looked at; an alert is served at most so long after its export. */
  reloadMs: integer(20, 60_000).default(500),
  /** Node's own limits are 300 s, 60 s, none and none. */
  requestTimeoutMs: integer(1000, 300_000).default(15_000),
  headersTimeoutMs: integer(1000, 300_000).default(10_000),
  /** A client that neither sends nor takes anything for so long is cut off. */
  idleTimeoutMs: integer(1000, 300_000).default(30_000),
  maxConnections: integer(1, 100_000).default(1000),
})
export type ApiSettings = z.output<typeof apiSettings>

/** Reads the secrets from their files. Throws StrikeflowError `config` where anybody of the network could read without one. */
export function secretsOf(settings: ApiSettings): Pick<AccessOptions, 'readSecret' | 'writeSecret'> {
  const { host, readSecretFile, writeSecretFile } = settings
  if (readSecretFile === undefined && !isLoopbackHost(host)) {
    throw new StrikeflowError(
      'config',
      `API_HOST ${host} can be reached from other machines: set API_READ_SECRET_FILE, or keep to loopback behind a proxy`,
    )
  }
  return { readSecret: secretIn(readSecretFile), writeSecret: secretIn(writeSecretFile) }
}

const secretIn = (file: string | undefined): string | null => (file === undefined ? null : readPasswordFile(file))
