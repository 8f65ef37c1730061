import { z } from 'zod'
import type { Bus } from '../../shared/bus/connect.ts'
import { openDurable } from '../../shared/bus/durable.ts'
import { decodeJson } from '../../shared/bus/messages.ts'
import { instantMs } from '../../shared/model/instant.ts'
import { scanStatuses } from '../../shared/model/scan.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { type Store, StoreError } from '../../shared/store/connect.ts'
import { untilAnswered } from '../../shared/store/retry.ts'

const count = z
  .int()
  .nonnegative()
  .max(2 ** 32 - 1)
/** There are a few dozen reasons; a summary with thousands is not a collector's. */
const counts = z
  .record(z.string().max(64), count)
  .refine((given) => Object.keys(given).length <= 200, 'too many reasons')

const scanSchema = z.object({
  scanId: z.string().min(1).max(200),
  provider: z.string().max(200),
  status: z.enum(scanStatuses),
  startedAtMs: instantMs,
  finishedAtMs: instantMs.nullable(),
  planned: count,
  delivered: count,
  repeated: count,
  refused: count,
  contracts: z.int().nonnegative(),
  rejectsByReason: counts,
  refusalsByReason: counts,
})

/**
 * Writes scan summaries to `scans_v1` as they come. A durable consumer shared by all processors: a summary is acknowledged
 * after it is in the table, and one written twice is the same row of the same version. One that the table refuses comes again.
 */
export async function runScanSink(bus: Bus, store: Store, log: Logger, signal: AbortSignal): Promise<void> {
  const consumer = { stream: 'SCAN_RESULTS', durable: 'scan-sink', filterSubject: 'scans.summary.>' }
  await using source = await openDurable(bus, consumer, signal)
  for await (const message of source) {
    const scan = readScan(message.payload)
    if ('problem' in scan) {
      log.error({ streamSeq: message.streamSeq, problem: scan.problem }, 'scan summary refused')
    } else if (!(await isStored({ ...scan, version: message.streamSeq }, store, log, signal))) continue
    await message.ack()
  }
}

/** False where somebody has to mend the table first; waits for a store that is only away. */
async function isStored(scan: ScanRow, store: Store, log: Logger, signal: AbortSignal): Promise<boolean> {
  const { scanId } = scan
  try {
    await untilAnswered(() => storeScan(store, scan), {
      signal,
      onError: (err, attempt) => log.warn({ err, scanId, attempt }, 'scan summary not stored yet'),
    })
    return true
  } catch (err) {
    if (!(err instanceof StoreError)) throw err
    log.error({ err, scanId }, 'scan summary cannot be stored, it comes again')
    return false
  }
}

type ScanRow = z.output<typeof scanSchema> & { readonly version: number }

/** What cannot be read is noted and passed over: it must not stand in the way of the next one. */
function readScan(payload: Uint8Array): z.output<typeof scanSchema> | { readonly problem: string } {
  try {
    const scan = scanSchema.safeParse(decodeJson(payload))
    return scan.success ? scan.data : { problem: z.prettifyError(scan.error) }
  } catch (error) {
    return { problem: (error as Error).message }
  }
}

const storeScan = (store: Store, scan: ScanRow): Promise<void> =>
  store.command(
    `INSERT INTO scans_v1 (scan_id, provider, status, started_at, finished_at, planned, delivered, repeated, refused, contracts,
       rejects_by_reason, refusals_by_reason, version)
     SELECT {scanId:String}, {provider:String}, {status:String}, fromUnixTimestamp64Milli({startedAtMs:Int64}, 'UTC'),
       fromUnixTimestamp64Milli({finishedAtMs:Nullable(Int64)}, 'UTC'), {planned:UInt32}, {delivered:UInt32}, {repeated:UInt32},
       {refused:UInt32}, {contracts:UInt64}, {rejectsByReason:Map(String, UInt32)}, {refusalsByReason:Map(String, UInt32)},
       {version:UInt64}`,
    { ...scan },
  )
