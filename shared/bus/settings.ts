import { z } from 'zod'
import { list } from '../runtime/config.ts'

/** Settings under the prefix `NATS`, the same for every service. */
export const busSettings = z.object({
  servers: list().default(['nats://127.0.0.1:4222']),
  user: z.string().optional(),
  pass: z.string().optional(),
  token: z.string().optional(),
  /** Sizes of the streams: `production` or `embedded`. */
  profile: z.enum(['production', 'embedded']).default('production'),
})
