import { connectBus } from '../../../shared/bus/connect.ts'
import type { BusAccount } from '../../../shared/bus/settings.ts'
import {
  type AccountFacts,
  type BusFacts,
  inspectBus,
  type StreamFacts,
  type UnreadMessages,
} from '../../../shared/bus/inspect.ts'
import type { StreamProfile } from '../../../shared/bus/stream-specs.ts'
import type { Clock } from '../../../shared/runtime/clock.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { openStore, StoreError, type StoreSettings } from '../../../shared/store/connect.ts'
import { inspectStore, type StoreFacts } from '../../../shared/store/inspect.ts'
import { bytesText } from '../progress.ts'
import { fail, type Finding, ok, warn } from './finding.ts'
import { checkClock, checkNatsVersion, compareVersions } from './versions.ts'

export interface BusTarget extends BusAccount {
  readonly servers: readonly string[]
  readonly profile: StreamProfile
  readonly replicas: number
}

const connectLimitMs = 3000

export interface BusCheck {
  readonly findings: readonly Finding[]
  /** Null when it is away. */
  readonly version: string | null
}

export async function checkBus(target: BusTarget, clock: Clock): Promise<BusCheck> {
  const { profile, replicas, ...account } = target
  const log = createLogger({ service: 'doctor', level: 'silent' })
  try {
    const signal = AbortSignal.timeout(connectLimitMs)
    await using bus = await connectBus({ ...account, name: 'doctor', log, signal })
    const facts = await inspectBus(bus, { profile, replicas, clock })
    return { findings: busFindings(facts, profile), version: facts.serverVersion }
  } catch (error) {
    const why =
      (error as Error).name === 'TimeoutError' || (error as Error).name === 'AbortError'
        ? 'no answer'
        : (error as Error).message
    const found = `${target.servers.join(', ')}: ${why}`
    return {
      findings: [fail('nats', found, 'start the server, or correct NATS_URL and its credentials')],
      version: null,
    }
  }
}

export function busFindings(
  { serverVersion, account, streams, clock, unread }: BusFacts,
  profile: StreamProfile,
): readonly Finding[] {
  const version = checkNatsVersion('nats', serverVersion, profile)
  if (account === null) {
    return [
      version,
      fail('jetstream', 'not enabled for this account', 'enable it: a jetstream block in the server configuration'),
    ]
  }
  return [
    version,
    ok(
      'jetstream',
      `enabled, ${account.streams} streams, ${account.consumers} consumers, ${bytesText(account.storageBytes)}`,
    ),
    checkHeadroom(account),
    ...streamFindings(streams),
    ...(unread === null ? [] : [checkUnread(unread)]),
    ...(clock === null ? [] : [checkClock('nats clock', clock)]),
  ]
}

/** One for each partition of a processor that reads them all, one for the archiver, and some for people. */
const consumersNeeded = 24

export function checkHeadroom({ consumers, streams, storageBytes, ...limits }: AccountFacts): Finding {
  const check = 'jetstream limits'
  const advice = 'raise the limits of the account: a stream or a consumer that cannot be made stops its service'
  const { maxConsumers, maxStreams, maxStorageBytes } = limits
  if (maxConsumers > 0 && maxConsumers - consumers < consumersNeeded)
    return warn(check, `${consumers} of ${maxConsumers} consumers`, advice)
  if (maxStreams > 0 && maxStreams - streams < 0) return warn(check, `${streams} of ${maxStreams} streams`, advice)
  if (maxStorageBytes > 0 && storageBytes > 0.9 * maxStorageBytes)
    return warn(check, `${bytesText(storageBytes)} of ${bytesText(maxStorageBytes)}`, advice)
  return ok(check, 'room for more consumers and bytes')
}

/** A stream that refuses its publishers is told of from here on. */
const nearlyFullShare = 0.9

export function streamFindings(streams: readonly StreamFacts[]): readonly Finding[] {
  const findings = streams.flatMap(streamFinding)
  const missing = streams.filter(({ comparison }) => comparison === null).map(({ name }) => name)
  if (missing.length > 0) {
    const advice =
      'the next start of a service makes them; with rights of its own, give the services those to make streams'
    findings.push(warn('streams', `missing: ${missing.join(', ')}`, advice))
  }
  return findings.length > 0 ? findings : [ok('streams', `all ${streams.length} as declared`)]
}

function streamFinding({ name, comparison, refusesAtShare }: StreamFacts): Finding[] {
  const check = `stream ${name}`
  const findings: Finding[] = []
  const { immovable = [], drift = [], update = {} } = comparison ?? {}
  for (const { field, wanted, found } of immovable) {
    const advice =
      'this cannot be changed in place and services refuse it: delete the stream (its messages go with it), or use another account'
    findings.push(fail(check, `${field} is ${text(found)}, declared ${text(wanted)}`, advice))
  }
  for (const { field, wanted, found } of drift)
    findings.push(
      warn(
        check,
        `${field} is ${text(found)}, more than the declared ${text(wanted)}`,
        'left as it is, because lowering it deletes messages or copies; lower it by hand if that is meant',
      ),
    )
  for (const [field, wanted] of Object.entries(update))
    findings.push(warn(check, `${field} is not the declared ${text(wanted)}`, 'the next start of a service sets it'))
  if (refusesAtShare !== null && refusesAtShare > nearlyFullShare)
    findings.push(
      warn(
        check,
        `${Math.round(refusesAtShare * 100)} % full, and refuses publishers at 100 %`,
        'look who should read it and does not',
      ),
    )
  return findings
}

function checkUnread({ partitions, messages, outside }: UnreadMessages): Finding {
  const check = 'partitions'
  if (messages === 0) return ok(check, `${partitions}, and nothing in CHAINS outside of them`)
  const found = `${messages} messages of CHAINS in partitions ${outside.join(', ')}: there are ${partitions}, and no processor reads others`
  return fail(
    check,
    found,
    `let whoever publishes them do so with COLLECTOR_PARTITIONS=${partitions}, and fetch them again`,
  )
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))

export async function checkStore(target: StoreSettings, clock: Clock): Promise<readonly Finding[]> {
  await using store = openStore({ ...target, requestTimeoutMs: connectLimitMs })
  try {
    return storeFindings(await inspectStore(store, clock), target)
  } catch (error) {
    return [awayFinding(error, target)]
  }
}

/** ClickHouse's code for a user who may not even say how a query is to be run. */
const readonlyCode = 164

function awayFinding(error: unknown, { url, user }: StoreSettings): Finding {
  if (error instanceof StoreError && error.clickhouseCode === readonlyCode)
    return fail('permissions', `user ${user} may only read (readonly = 1)`, grantAdvice(user))
  const advice = 'start the server, or correct CLICKHOUSE_URL, _USER and _PASSWORD'
  return fail('clickhouse', `${url}: ${(error as Error).message}`, advice)
}

const grantAdvice = (user: string): string =>
  `grant it: GRANT SELECT, INSERT, CREATE TABLE ON <database>.* TO ${user}, or use another CLICKHOUSE_USER`

/** Refreshable views and the JSON of 64-bit numbers as they are used here. */
const oldestClickHouse = '24.10'

export function storeFindings(
  { version, clock, isSchemaCurrent, refused }: StoreFacts,
  { database, user }: Pick<StoreSettings, 'database' | 'user'>,
): readonly Finding[] {
  const isOld = compareVersions(version, oldestClickHouse) < 0
  return [
    isOld ? warn('clickhouse', version, `use ${oldestClickHouse} or later`) : ok('clickhouse', version),
    isSchemaCurrent
      ? ok('schema', `database ${database} is up to date`)
      : fail(
          'schema',
          `database ${database} is missing or not of this version`,
          'run "strikeflow migrate" with the CLICKHOUSE_* of this database',
        ),
    ...permissionFindings(user, refused),
    checkClock('clickhouse clock', clock),
  ]
}

function permissionFindings(user: string, refused: StoreFacts['refused']): readonly Finding[] {
  const check = 'permissions'
  const failures = Object.entries(refused).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  if (failures.length > 0) {
    return failures.map(([what, why]) => {
      return fail(check, `user ${user} may not ${what} (${why.slice(0, 160)})`, grantAdvice(user))
    })
  }
  if (refused.select === undefined) return [{ check, status: 'left out', found: 'no tables to try them on' }]
  return [ok(check, `user ${user} may select, insert and create`)]
}
