import { type Bus, connectBus } from '../../shared/bus/connect.ts'
import { busSettings } from '../../shared/bus/settings.ts'
import { StrikeflowError } from '../../shared/model/errors.ts'
import { type Env, readSettings } from '../../shared/runtime/config.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { busAccount, type Role } from './accounts.ts'
import type { RunningStack } from './running-stack.ts'

export interface BusPlace {
  /** Of the command line; it comes first. */
  readonly nats?: string | undefined
  /** Comes next; without one, `NATS_URL`. */
  readonly stack: Pick<RunningStack, 'natsUrl' | 'dataDirectory'> | null
}

export interface BusOwner {
  readonly name: string
  readonly role: Role
  readonly signal?: AbortSignal | undefined
}

/** Connects a command, as a user of the stack, elsewhere with the user, password or token of the environment. Throws StrikeflowError `config` where no server is named. */
export async function openBus(place: BusPlace, environment: Env, { name, role, signal }: BusOwner): Promise<Bus> {
  const { url } = readSettings('NATS', busSettings, environment)
  const known = place.nats ?? place.stack?.natsUrl
  if (known === undefined && environment['NATS_URL'] === undefined)
    throw new StrikeflowError(
      'config',
      'No stack runs on the data directory: start one with "npm start", name its directory with --data, or set NATS_URL',
    )
  const log = createLogger({ service: name, level: 'warn' })
  const isStack = place.stack !== null && known === place.stack.natsUrl
  const account = busAccount(isStack ? place.stack : null, role, environment)
  return connectBus({ ...account, servers: known ?? url, name, log, signal })
}
