import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { busSettings } from '../../../shared/bus/settings.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import type { Clock } from '../../../shared/runtime/clock.ts'
import { type Env, readSettings } from '../../../shared/runtime/config.ts'
import { busAccount, storeAccount } from '../accounts.ts'
import { findRunningStack, type RunningStack } from '../running-stack.ts'
import { checkEnvironment, namesIn } from './environment.ts'
import { type Finding, fail, leftOut } from './finding.ts'
import { checkDataDirectory, checkNatsBinary, checkPort } from './machine.ts'
import { type BusTarget, checkBus, checkStore } from './servers.ts'
import { checkFsync, checkNode } from './versions.ts'

export interface DoctorOptions {
  readonly dataDirectory: string
  readonly environment: Env
  /** Where the NATS server tells of itself over HTTP, if that is known. */
  readonly monitorUrl: string | null
  readonly nodeVersion: string
  readonly clock: Clock
}

/** Looks at everything a start depends on; with a running stack, or addresses in the environment, at the servers as well. */
export async function examine(options: DoctorOptions): Promise<readonly Finding[]> {
  const { dataDirectory, environment, nodeVersion } = options
  const stack = await findRunningStack(dataDirectory)
  return [
    checkNode(nodeVersion),
    ...checkEnvironment(environment, await knownNames()),
    ...(await checkDataDirectory(dataDirectory)),
    ...(await Promise.all(ports(environment, stack).map(checkPort))),
    await checkNatsBinary(),
    ...(await natsFindings(options, stack)),
    ...(await clickhouseFindings(options, stack)),
  ]
}

const exampleFile = new URL('../../../.env.example', import.meta.url)
const knownNames = async (): Promise<readonly string[]> => namesIn(await readFile(exampleFile, 'utf8'))

/**
 * Those of the embedded stack; a running one has told which it took. Where the environment names a server somewhere, as production
 * does, the embedded one does not take its usual port.
 */
function ports(environment: Env, stack: RunningStack | null) {
  const all = [
    { name: 'nats', variable: 'STANDALONE_NATS_PORT', usual: 4222, url: stack?.natsUrl, address: 'NATS_URL' },
    {
      name: 'clickhouse',
      variable: 'STANDALONE_CLICKHOUSE_PORT',
      usual: 8123,
      url: stack?.clickhouseUrl,
      address: 'CLICKHOUSE_URL',
    },
    { name: 'api', variable: 'STANDALONE_API_PORT', usual: 8061, url: stack?.apiUrl ?? undefined, address: null },
  ]
  return all
    .filter(({ address }) => stack !== null || address === null || environment[address] === undefined)
    .map(({ name, variable, usual, url }) => ({
      name,
      port: url === undefined ? portOf(environment[variable], usual) : Number(new URL(url).port),
      usedByPid: url === undefined || stack === null ? null : stack.pid,
    }))
}

/** What is no port is told of by the check of the settings' owner. */
const portOf = (text: string | undefined, usual: number): number =>
  text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : usual

async function natsFindings(options: DoctorOptions, stack: RunningStack | null): Promise<readonly Finding[]> {
  const { environment, clock, dataDirectory, monitorUrl } = options
  if (stack === null && environment['NATS_URL'] === undefined)
    return [
      leftOut('nats', 'no stack runs on the data directory, and NATS_URL is not set: streams, limits, fsync, clock'),
    ]
  return await withSettings('nats', async () => {
    const target =
      stack === null
        ? busTarget(environment)
        : {
            ...busAccount(stack, 'services', environment),
            servers: [stack.natsUrl],
            profile: 'embedded' as const,
            replicas: 1,
          }
    const { findings, version } = await checkBus(target, clock)
    if (version === null) return findings
    const seen = await readSyncInterval(stack === null ? null : dataDirectory, monitorUrl)
    return [...findings, checkFsync(seen, { version, profile: target.profile, monitorUrl })]
  })
}

function busTarget(environment: Env): BusTarget {
  const { url: servers, ...account } = readSettings('NATS', busSettings, environment)
  return { ...account, servers }
}

async function clickhouseFindings(
  { environment, clock }: DoctorOptions,
  stack: RunningStack | null,
): Promise<readonly Finding[]> {
  if (stack === null && environment['CLICKHOUSE_URL'] === undefined)
    return [
      leftOut(
        'clickhouse',
        'no stack runs on the data directory, and CLICKHOUSE_URL is not set: schema, permissions, clock',
      ),
    ]
  return await withSettings('clickhouse', async () => {
    const target = storeAccount(stack, 'services', environment)
    return await checkStore(stack === null ? target : { ...target, database: 'strikeflow' }, clock)
  })
}

/** A wrong setting is a finding here, not the end. */
async function withSettings(check: string, run: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof StrikeflowError) || error.code !== 'config') throw error
    return [fail(check, error.message.replaceAll('\n', '; '), 'correct the setting')]
  }
}

/** Returns undefined when nothing tells of it, null when the configuration does not set it. */
async function readSyncInterval(
  embeddedData: string | null,
  monitorUrl: string | null,
): Promise<string | null | undefined> {
  if (embeddedData !== null) {
    const config = await readFile(join(embeddedData, 'nats', 'nats-server.conf'), 'utf8').catch(() => '')
    return config === '' ? undefined : (/sync_interval:\s*"?(\w+)/.exec(config)?.[1] ?? null)
  }
  if (monitorUrl === null) return undefined
  try {
    const answer = await fetch(new URL('/jsz?config=true', monitorUrl), { signal: AbortSignal.timeout(3000) })
    const { config } = (await answer.json()) as { readonly config?: { sync_interval?: number; sync_always?: boolean } }
    if (config?.sync_always === true) return 'always'
    return config?.sync_interval === undefined ? null : `${config.sync_interval / 1e9} s`
  } catch {
    return undefined
  }
}
