import { z } from 'zod'
import { integer, list } from './config.ts'
import { logLevels } from './logger.ts'

/** Settings under the prefix `HEALTH`, the same for every service. Port 0 takes any free one. */
export const healthSettings = z.object({
  host: z.string().default('127.0.0.1'),
  port: integer(0, 65_535).default(0),
  /** Host names, besides those of loopback, under which a loopback port may be asked. */
  allowedHosts: list().default([]),
})

/** Settings under the prefix `LOG`, the same for every service. */
export const logSettings = z.object({ level: z.enum(logLevels).default('info') })
