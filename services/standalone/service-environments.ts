import type { SecretFiles } from '../../shared/runtime/secrets.ts'
import type { StandaloneSettings } from './config.ts'
import type { DataDirectory } from './data-directory.ts'

export interface Endpoints {
  readonly natsUrl: string
  readonly clickhouseUrl: string
}

type Environment = Readonly<Record<string, string>>

/** What every service of the stack is told. */
export const commonEnvironment = (
  { natsUrl, clickhouseUrl }: Endpoints,
  database: string,
  { services }: Pick<SecretFiles, 'services'>,
): Environment => ({
  NATS_URL: natsUrl,
  NATS_USER: 'services',
  NATS_PASSWORD_FILE: services,
  NATS_PROFILE: 'embedded',
  CLICKHOUSE_URL: clickhouseUrl,
  CLICKHOUSE_USER: 'services',
  CLICKHOUSE_PASSWORD_FILE: services,
  CLICKHOUSE_DATABASE: database,
})

/**
 * The processors' names in the stack. Each keeps its name as its instance through restarts, so that it goes on with what it owned at
 * once and need not wait until its dead self counts as dead.
 */
export const processorNames = ({ processors }: StandaloneSettings): readonly string[] =>
  processors === 1 ? ['processor'] : Array.from({ length: processors }, (_, i) => `processor-${i + 1}`)

export const exporterEnvironment = ({ exports }: DataDirectory): Environment => ({ EXPORTER_DIRECTORY: exports })

export const archiverEnvironment = ({ archive }: DataDirectory): Environment => ({ ARCHIVER_DIRECTORY: archive })

export const apiEnvironment = (
  { exports }: DataDirectory,
  { reader, apiWrite }: SecretFiles,
  { apiPort }: StandaloneSettings,
): Environment => ({
  API_DIRECTORY: exports,
  API_PORT: String(apiPort),
  API_READ_SECRET_FILE: reader,
  API_WRITE_SECRET_FILE: apiWrite,
})

export const clickhouseEnvironment = (
  { clickhouse }: DataDirectory,
  { directory }: SecretFiles,
  { clickhousePort }: StandaloneSettings,
): Environment => ({
  EMBEDDED_CLICKHOUSE_DATA_DIR: clickhouse,
  EMBEDDED_CLICKHOUSE_SECRETS_DIR: directory,
  EMBEDDED_CLICKHOUSE_PORT: String(clickhousePort),
})

/**
 * The simulated market is financed at a rate of its own; computed at another one its parity would look like arbitrage. What the user
 * has set goes first.
 */
export function processorEnvironment({ provider }: StandaloneSettings, given: Partial<Environment>): Environment {
  const isGiven = given['PROCESSOR_RISK_FREE_RATE'] !== undefined || given['PROCESSOR_CURVE'] !== undefined
  if (provider !== 'simulator' || isGiven) return {}
  return { PROCESSOR_RISK_FREE_RATE: '0.04', PROCESSOR_CURVE_SOURCE: 'simulator' }
}

/** The collector's settings from the stack's; what was not given is left to the collector's own defaults. */
export function collectorEnvironment(settings: StandaloneSettings, directory: DataDirectory): Environment {
  const { provider, underlyings, recordingPath, speed, seed } = settings
  const given: Record<string, string | undefined> = {
    COLLECTOR_PROVIDER: provider,
    COLLECTOR_UNDERLYINGS: underlyings?.join(','),
    COLLECTOR_RECORDING_PATH: recordingPath,
    COLLECTOR_SPEED: speed?.toString(),
    ...(provider === 'simulator' && {
      COLLECTOR_SIM_SEED: seed?.toString(),
      COLLECTOR_SIM_GROUND_TRUTH_PATH: directory.groundTruthFile,
    }),
  }
  return Object.fromEntries(Object.entries(given).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

/**
 * The simulated market is a function of its seed and time alone, so it goes on where the stored one ends: with the last pass,
 * which may not be complete. What of it is stored already is recognised.
 */
export const resumeEnvironment = ({ provider }: StandaloneSettings, newestMs: number | null): Environment =>
  provider !== 'simulator' || newestMs === null
    ? {}
    : { COLLECTOR_SIM_START: new Date(newestMs).toISOString(), COLLECTOR_SIM_WARM_UP_PASSES: '0' }
