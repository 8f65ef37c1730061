import { z } from 'zod'
import { integer } from '../runtime/config.ts'

/** Settings under the prefix `CLICKHOUSE`, the same for every service. */
export const storeSettings = z.object({
  url: z.url().default('http://127.0.0.1:8123'),
  database: z.string().regex(/^\w+$/, 'letters, digits and _ only').default('strikeflow'),
  user: z.string().default('default'),
  password: z.string().default(''),
  /** File with the password, in place of `password`: an environment is shown by more tools than a file. */
  passwordFile: z.string().min(1).optional(),
  requestTimeoutMs: integer(100, 600_000).default(30_000),
})
