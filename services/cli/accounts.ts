import { lstatSync } from 'node:fs'
import { type BusAccount, busSettings, readerApiPrefix } from '../../shared/bus/settings.ts'
import { type Env, readSettings } from '../../shared/runtime/config.ts'
import { secretFiles } from '../../shared/runtime/secrets.ts'
import type { StoreSettings } from '../../shared/store/connect.ts'
import { storeSettings } from '../../shared/store/settings.ts'
import type { RunningStack } from './running-stack.ts'

/** As whom a command asks a stack: `services` where it changes something, `reader` elsewhere. */
export type Role = 'services' | 'reader'

/** How a command logs in to NATS: as a user of the stack, or as the environment says where there is no stack with users. */
export function busAccount(
  stack: Pick<RunningStack, 'dataDirectory'> | null,
  role: Role,
  environment: Env,
): BusAccount {
  const passwordFile = stack === null ? null : passwordFileOf(stack, role)
  if (passwordFile !== null)
    return { user: role, passwordFile, ...(role === 'reader' && { apiPrefix: readerApiPrefix }) }
  const { user, password, passwordFile: file, token, apiPrefix } = readSettings('NATS', busSettings, environment)
  return { user, password, passwordFile: file, token, apiPrefix }
}

/** The database of the stack, as one of its users; without a stack that of the environment. */
export function storeAccount(
  stack: Pick<RunningStack, 'clickhouseUrl' | 'dataDirectory'> | null,
  role: Role,
  environment: Env,
): StoreSettings {
  const settings = readSettings('CLICKHOUSE', storeSettings, environment)
  if (stack === null) return settings
  const passwordFile = passwordFileOf(stack, role)
  const account = passwordFile === null ? {} : { user: role, passwordFile }
  return { ...settings, ...account, url: stack.clickhouseUrl }
}

/** Variables with which a service started by hand joins a stack. What the environment names itself stays. */
export function joiningEnvironment(stack: RunningStack, environment: Env): Readonly<Record<string, string>> {
  const { services, reader, apiWrite } = secretFiles(stack.dataDirectory)
  const isJoining = (prefix: string, url: string): boolean =>
    [undefined, '', url].includes(environment[`${prefix}_URL`]) &&
    ['USER', 'PASSWORD', 'PASSWORD_FILE', 'TOKEN'].every((name) => (environment[`${prefix}_${name}`] ?? '') === '')
  const hasUsers = passwordFileOf(stack, 'services') !== null
  const account = (prefix: string, url: string): Record<string, string> => ({
    [`${prefix}_URL`]: url,
    ...(hasUsers && { [`${prefix}_USER`]: 'services', [`${prefix}_PASSWORD_FILE`]: services }),
  })
  return {
    ...(isJoining('NATS', stack.natsUrl) && account('NATS', stack.natsUrl)),
    ...(isJoining('CLICKHOUSE', stack.clickhouseUrl) && account('CLICKHOUSE', stack.clickhouseUrl)),
    ...(hasUsers && {
      API_READ_SECRET_FILE: environment['API_READ_SECRET_FILE'] ?? reader,
      API_WRITE_SECRET_FILE: environment['API_WRITE_SECRET_FILE'] ?? apiWrite,
    }),
  }
}

/** Null for a stack that an earlier version started: it has no users. A file that cannot be reached is told when it is read. */
function passwordFileOf({ dataDirectory }: Pick<RunningStack, 'dataDirectory'>, role: Role): string | null {
  const path = secretFiles(dataDirectory)[role]
  try {
    lstatSync(path)
    return path
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? null : path
  }
}
