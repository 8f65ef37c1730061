import { z } from 'zod'
import { integer } from '../../shared/runtime/config.ts'

/** Settings under the prefix `API`. */
export const apiSettings = z.object({
  /** Not 0.0.0.0 by default: there is no authentication yet. */
  host: z.string().min(1).default('127.0.0.1'),
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
