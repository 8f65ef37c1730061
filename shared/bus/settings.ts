import { z } from 'zod'
import { integer, list } from '../runtime/config.ts'

/** Settings under the prefix `NATS`, the same for every service. */
export const busSettings = z.object({
  /** One server or several, comma-separated. */
  url: list().default(['nats://127.0.0.1:4222']),
  user: z.string().optional(),
  password: z.string().optional(),
  token: z.string().optional(),
  /** Sizes of the streams: a laptop's or a cluster's. */
  profile: z.enum(['embedded', 'production']).default('embedded'),
  /** Copies of each stream. */
  replicas: integer(1, 5).default(1),
})
