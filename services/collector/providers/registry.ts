import type { Clock } from '../../../shared/runtime/clock.ts'
import type { Logger } from '../../../shared/runtime/logger.ts'
import { createCboe } from './cboe/cboe.ts'
import type { OptionChainProvider } from './provider.ts'
import type { DriftObserver } from './raw-chain.ts'
import { createRecording } from './recording/recording.ts'
import { parseFaults } from './simulator/faults.ts'
import { createSimulator, type SimulatorOptions } from './simulator/simulator.ts'

/** Every provider, by the name it is configured under. */
export const providers = {
  cboe: ({ settings, log, ...context }) =>
    createCboe({
      ...context,
      underlyings: settings.underlyings,
      intervalMs: settings.intervalMs,
      maxConcurrency: settings.maxConcurrency,
      maxPasses: null,
      baseUrl: settings.cboeBaseUrl,
      timeoutMs: settings.cboeTimeoutMs,
      maxBodyBytes: settings.cboeMaxBodyBytes,
      maxRetryAfterMs: settings.cboeMaxRetryAfterMs,
      userAgent: settings.cboeUserAgent,
      onHeld: (hold) => log.warn({ provider: 'cboe', ...hold }, 'provider held after a 429'),
    }),
  recording: ({ settings, log, ...context }) =>
    createRecording({
      ...context,
      path: settings.recordingPath ?? '.',
      speed: settings.speed ?? 1,
      onSkipped: (file, why) => log.warn({ file, why }, 'file skipped'),
    }),
  simulator: ({ settings, clock }) => createSimulator(simulatorOptions(settings, clock)),
} as const satisfies Record<string, (context: ProviderContext) => OptionChainProvider>

export const providerNames = Object.keys(providers) as [ProviderName, ...ProviderName[]]
export type ProviderName = keyof typeof providers

interface ProviderContext {
  readonly settings: ProviderSettings
  readonly clock: Clock
  readonly log: Logger
  readonly onDrift: DriftObserver
}

/** What providers may be told; a subset of the collector's settings. */
interface ProviderSettings {
  readonly underlyings: readonly string[]
  readonly intervalMs: number
  readonly maxConcurrency: number
  readonly recordingPath?: string | undefined
  readonly speed?: number | undefined
  readonly cboeBaseUrl: string
  readonly cboeTimeoutMs: number
  readonly cboeMaxBodyBytes: number
  readonly cboeMaxRetryAfterMs: number
  readonly cboeUserAgent: string
  readonly simSeed?: number | undefined
  readonly simUnderlyings?: number | undefined
  readonly simContracts?: number | undefined
  readonly simStart?: string | undefined
  readonly simPassIntervalMs?: number | undefined
  readonly simWarmUpPasses?: number | undefined
  readonly simEvents?: 'default' | 'none' | undefined
  readonly simFaults?: string | undefined
  readonly simPasses?: number | undefined
  readonly simGroundTruthPath?: string | undefined
}

/** What is not set stays the simulator's own default. */
function simulatorOptions(settings: ProviderSettings, clock: Clock): SimulatorOptions {
  const options: { [K in keyof SimulatorOptions]: SimulatorOptions[K] | undefined } = {
    seed: settings.simSeed,
    underlyings: settings.underlyings.length > 0 ? settings.underlyings : settings.simUnderlyings,
    contractsTotal: settings.simContracts,
    startAtMs: settings.simStart === undefined ? undefined : Date.parse(settings.simStart),
    passIntervalMs: settings.simPassIntervalMs,
    speed: settings.speed,
    warmUpPasses: settings.simWarmUpPasses,
    events: settings.simEvents,
    faults: settings.simFaults === undefined ? undefined : parseFaults(settings.simFaults),
    passes: settings.simPasses,
    groundTruthPath: settings.simGroundTruthPath,
    clock,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as SimulatorOptions
}
