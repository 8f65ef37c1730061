import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createRecording } from '../../services/collector/providers/recording/recording.ts'
import { createSimulator } from '../../services/collector/providers/simulator/simulator.ts'
import type { OptionChainProvider } from '../../services/collector/providers/provider.ts'
import { snapshotId } from '../../shared/model/identity.ts'
import type { Snapshot } from '../../shared/model/snapshot.ts'
import { systemClock } from '../../shared/runtime/clock.ts'

/** The pass of 335 names that the figures of docs/benchmarks.md are made from. */
const recordedPass = join('options_desk', '2026-07-16_regular.ndjson.gz')
const defaultCopies = 10
const copyShiftMs = 60_000
/** What the simulator is asked for where the recording is not at hand: about the same market. */
const likeTheRecording = { underlyings: 335, contractsTotal: 310_360, speed: 0, passes: 1 } as const
/** About as many contracts as US options have; a pass has a little less, and the next one fills it up. */
const wholeMarket = { underlyings: 1205, contractsTotal: 1_500_000, speed: 0, passes: 1, seed: 7 } as const

export interface BenchInput {
  readonly source: 'recording' | 'simulator'
  /** For the output: what it is and why. */
  readonly description: string
  /** In the order they are published; the first `passMessages` are the pass itself, the rest its copies. */
  readonly snapshots: readonly Snapshot[]
  readonly contracts: number
  readonly passMessages: number
}

export const inputKinds = ['recording', 'simulator'] as const
export type InputKind = (typeof inputKinds)[number]

export interface InputOptions {
  readonly dataDirectory: string
  /** `simulator`: 1.5 M contracts of 1,205 names from a fixed seed. */
  readonly kind: InputKind
  /** Stops with the snapshot that reaches so many. @default ten passes of the recording, 1.5 M contracts of the simulator */
  readonly contracts: number | null
  readonly signal: AbortSignal
}

/**
 * One recorded pass and its copies, each a minute later. What is stored of a copy differs in its times and ids only; but each
 * has a content hash of its own and a market's time, because the processor would rightly spare itself work on a repeat
 * (duplicates, unchanged content), and that is not what is measured.
 */
export async function benchInput({ dataDirectory, kind, contracts, signal }: InputOptions): Promise<BenchInput> {
  const path = join(dataDirectory, recordedPass)
  const isRecorded = kind === 'recording' && existsSync(path)
  const provider = isRecorded
    ? createRecording({ path, speed: 0, clock: systemClock, onDrift: () => undefined })
    : createSimulator(kind === 'simulator' ? wholeMarket : likeTheRecording)
  const pass = await onePass(provider, signal)
  const passContracts = contractsOf(pass)
  const wanted = contracts ?? (kind === 'simulator' ? wholeMarket.contractsTotal : passContracts * defaultCopies)
  const snapshots: Snapshot[] = []
  let total = 0
  for (let copy = 0; total < wanted; copy++) {
    for (const snapshot of pass) {
      if (total >= wanted) break
      snapshots.push(copyOf(snapshot, copy))
      total += snapshot.columns.length
    }
  }
  const simulator = kind === 'simulator' ? 'simulator' : `simulator, since there is no ${path}`
  const what = isRecorded ? recordedPass : simulator
  return {
    source: isRecorded ? 'recording' : 'simulator',
    description: `${what}: ${pass.length} snapshots, ${passContracts} contracts a pass, copies a minute apart`,
    snapshots,
    contracts: total,
    passMessages: Math.min(pass.length, snapshots.length),
  }
}

export const contractsOf = (snapshots: readonly Snapshot[]): number =>
  snapshots.reduce((sum, { columns }) => sum + columns.length, 0)

async function onePass(provider: OptionChainProvider, signal: AbortSignal): Promise<readonly Snapshot[]> {
  const byId = new Map<string, Snapshot>()
  for await (const { items } of provider.passes(signal)) {
    for (const item of items) {
      const outcome = await item.fetch({ scanId: 'bench', signal })
      if (outcome.kind === 'snapshot') byId.set(outcome.snapshot.meta.snapshotId, outcome.snapshot)
    }
  }
  signal.throwIfAborted()
  return [...byId.values()]
}

function copyOf({ meta, columns }: Snapshot, copy: number): Snapshot {
  const shiftMs = copy * copyShiftMs
  const shifted = {
    ...meta,
    timeKind: 'market' as const,
    providerTimeMs: meta.providerTimeMs + shiftMs,
    marketTimeMs: meta.marketTimeMs + shiftMs,
    receivedAtMs: meta.receivedAtMs + shiftMs,
    contentHash: createHash('sha256').update(`${meta.contentHash}/${copy}`).digest('hex').slice(0, 32),
  }
  return { meta: { ...shifted, snapshotId: snapshotId(shifted) }, columns }
}
