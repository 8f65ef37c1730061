import { availableParallelism, cpus } from 'node:os'
import { optionQuotes } from '../../shared/store/tables.ts'
import { assertStored, expectedSum } from './checksum.ts'
import { encodeBatches, type FloorRun, insertBatches } from './floor.ts'
import { type BenchInput, contractsOf } from './input.ts'
import { runNaive } from './naive.ts'
import { type ProcessorRun, runProcessor } from './processor.ts'
import { publishAll } from './publish.ts'
import { count, type PipelineReport } from './report.ts'
import { mergesIdle, type Stand } from './stand.ts'
import { measureStorage } from './storage.ts'

export type Figures = Omit<PipelineReport, 'bench' | 'at' | 'definition' | 'machine'>

export interface MeasureOptions {
  readonly stand: Stand
  readonly input: BenchInput
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly profileDirectory: string | null
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

/** Publishes, then measures floor, pipeline, floor again, storage and the peer, one after the other and at rest in between. */
export async function measure({ stand, input, signal, onProgress, ...options }: MeasureOptions): Promise<Figures> {
  const { snapshots, contracts, passMessages } = input
  const pass = snapshots.slice(0, passMessages)
  const expected = expectedSum(snapshots)
  const published = await publishAll(stand, snapshots, signal)
  onProgress(`published ${count(snapshots.length)} messages, ${count(published.bytes)} bytes`)
  const batches = encodeBatches(snapshots, signal)
  const floorOnce = async (floorTable: string): Promise<FloorRun> => {
    const floor = await insertBatches(stand, { batches, expected, floorTable }, signal)
    onProgress(`bare insert of ${batches.length} batches: ${count(contracts / floor.seconds)} contracts/s`)
    await mergesIdle(stand, signal)
    return floor
  }
  const floorBefore = await floorOnce('option_quotes_floor_before')
  const run = await runProcessor({ stand, messages: snapshots.length, passMessages, signal, ...options })
  await assertStored(stand.store.query, optionQuotes.table, expected)
  onProgress(`pipeline: ${count(contracts / run.seconds)} contracts/s, rows and checksum as expected`)
  await mergesIdle(stand, signal)
  const floors = [floorBefore, await floorOnce('option_quotes_floor_after')]
  const storage = await measureStorage(stand, pass)
  onProgress(`storage: ${storage.bytesPerRow} bytes a row`)
  const naiveContracts = contractsOf(pass)
  const naiveSeconds = await runNaive(stand, pass, expectedSum(pass), signal)
  onProgress(`JSON pipeline: ${count(naiveContracts / naiveSeconds)} contracts/s`)
  return {
    input: input.description,
    inputSource: input.source,
    contracts,
    messages: snapshots.length,
    ...rates(contracts, run, floors, naiveContracts / naiveSeconds),
    naiveContracts,
    bytesPerRow: storage.bytesPerRow,
    bytesPerRowWithCopies: storage.bytesPerRowWithCopies,
    columnBytesPerRow: storage.columns,
    encodeContractsPerSecond: Math.round(contracts / published.encodeSeconds),
    publishContractsPerSecond: Math.round(contracts / published.publishSeconds),
    messageBytesPerContract: rounded(published.bytes / contracts, 2),
    rows: expected.rows,
    checksum: expected.hash,
  }
}

function rates(contracts: number, run: ProcessorRun, floors: readonly FloorRun[], naive: number) {
  const floor = (floors.length * contracts) / floors.reduce((sum, { seconds }) => sum + seconds, 0)
  const floorCpu = floors.map(({ clickhouseCpuSeconds }) => clickhouseCpuSeconds ?? Number.NaN)
  const rate = contracts / run.seconds
  return {
    contractsPerSecond: Math.round(rate),
    insertFloorContractsPerSecond: Math.round(floor),
    ratioToFloor: rounded(rate / floor, 3),
    insertFloorRuns: floors.map(({ seconds }) => Math.round(contracts / seconds)),
    naiveContractsPerSecond: Math.round(naive),
    ratioToNaive: rounded(rate / naive, 2),
    seconds: run.seconds,
    flushes: run.flushes,
    processorRssMb: run.rssMb,
    processorPeakRssMb: run.peakRssMb,
    processorCpuSeconds: run.cpuSeconds,
    clickhouseCpuSeconds: run.clickhouseCpuSeconds,
    natsCpuSeconds: run.natsCpuSeconds,
    busyShare: busyShare(run),
    insertFloorCpuSeconds: floorCpu.some(Number.isNaN) ? null : rounded(Math.min(...floorCpu), 2),
  }
}

function busyShare({ seconds, ownCpuSeconds, clickhouseCpuSeconds, natsCpuSeconds }: ProcessorRun): number | null {
  if (ownCpuSeconds === null || clickhouseCpuSeconds === null || natsCpuSeconds === null) return null
  return rounded((ownCpuSeconds + clickhouseCpuSeconds + natsCpuSeconds) / (seconds * availableParallelism()), 2)
}

const rounded = (value: number, digits: number): number => Math.round(value * 10 ** digits) / 10 ** digits

export function machineOf({ bus, clickhouse }: Stand, loadAverage: number): PipelineReport['machine'] {
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    loadAverage,
    node: process.version,
    clickhouse: clickhouse.engineVersion,
    nats: bus.connection.info?.version ?? 'unknown',
  }
}
