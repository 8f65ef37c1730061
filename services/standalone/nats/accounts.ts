import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { readerApiPrefix } from '../../../shared/bus/settings.ts'
import { streamNames, streamSpecs } from '../../../shared/bus/stream-specs.ts'

/** Passwords of the two users of the server. */
export interface NatsPasswords {
  /** May do everything. */
  readonly services: string
  /** May subscribe and read streams. */
  readonly reader: string
}

const ownAccount = 'STRIKEFLOW'

/**
 * What reads a stream and changes nothing. A consumer is server state, so a reader may make none. There is no wildcard among
 * them: nats-server 2.9.10 ends with a panic when an answer comes back on a subject that is imported by a wildcard under
 * another name.
 */
const readingApi: readonly string[] = [
  'STREAM.NAMES',
  'STREAM.LIST',
  ...streamNames.flatMap((name) => [`STREAM.INFO.${name}`, `STREAM.MSG.GET.${name}`, `DIRECT.GET.${name}`]),
]

/**
 * Lines of the server's configuration for the users `services` and `reader`; nobody else gets in.
 *
 * The reader is in another account than the streams. Within one account the server publishes the answer to a request on
 * whatever reply subject the request names, so that somebody who may only ask could write into a stream or call any part of the
 * API. Between accounts the answer comes back to the reader's own account, where no stream listens.
 */
export function accountLines({ services, reader }: NatsPasswords): readonly string[] {
  const subjects = streamSpecs.flatMap((spec) => spec.subjects)
  const requests = readingApi.map((name) => ({ own: `$JS.API.${name}`, reader: `${readerApiPrefix}.${name}` }))
  const permissions = {
    publish: { allow: requests.map((request) => request.reader) },
    subscribe: { allow: ['_INBOX.>', ...subjects] },
  }
  const exports = [...subjects.map((stream) => ({ stream })), ...requests.map(({ own }) => ({ service: own }))]
  const imports = [
    ...subjects.map((subject) => ({ stream: { account: ownAccount, subject } })),
    ...requests.map(({ own, reader: to }) => ({ service: { account: ownAccount, subject: own }, to })),
  ]
  const accounts = {
    [ownAccount]: { jetstream: 'enabled', users: [{ user: 'services', password: services }], exports },
    READER: { users: [{ user: 'reader', password: reader, permissions }], imports },
  }
  return [`accounts: ${JSON.stringify(accounts, null, 1)}`]
}

/**
 * Moves the streams of a server that had no users into the account of our services: JetStream keeps the files of each account
 * in a folder of its own, and without users there was one account, `$G`.
 */
export function adoptStreams(storeDir: string): void {
  const [before, now] = ['$G', ownAccount].map((account) => join(storeDir, 'jetstream', account)) as [string, string]
  if (existsSync(before) && !existsSync(now)) renameSync(before, now)
}
