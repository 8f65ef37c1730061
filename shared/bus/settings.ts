import { z } from 'zod'
import { integer, list } from '../runtime/config.ts'

/** Settings under the prefix `NATS`, the same for every service. */
export const busSettings = z.object({
  /** One server or several, comma-separated. */
  url: list().default(['nats://127.0.0.1:4222']),
  user: z.string().optional(),
  password: z.string().optional(),
  /** File with the password, in place of `password`: an environment is shown by more tools than a file. */
  passwordFile: z.string().min(1).optional(),
  token: z.string().optional(),
  /** Where JetStream's API is, for a user to whom the server gives it under another prefix than `$JS.API`. */
  apiPrefix: z.string().min(1).optional(),
  /** Sizes of the streams: a laptop's or a cluster's. */
  profile: z.enum(['embedded', 'production']).default('embedded'),
  /** Copies of each stream. */
  replicas: integer(1, 5).default(1),
})

/** Who connects; what is absent is not sent. */
export interface BusAccount {
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly passwordFile?: string | undefined
  readonly token?: string | undefined
  readonly apiPrefix?: string | undefined
}

/**
 * The user `reader` of the embedded server is in an account of its own and finds the reading part of JetStream's API under this
 * prefix. A permission on `$JS.API.>` would not be enough: a request may name any subject for its reply, and the server
 * publishes the answer there without asking what the requester may publish.
 */
export const readerApiPrefix = 'READ.API'
