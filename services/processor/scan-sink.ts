import { z } from 'zod'
import type { Bus } from '../../shared/bus/connect.ts'
import { openDurable } from '../../shared/bus/durable.ts'
import { decodeJson } from '../../shared/bus/messages.ts'
import { scanStatuses } from '../../shared/model/scan.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import { type Store, StoreError } from '../../shared/store/connect.ts'
import { setTimeout as delay } from 'node:timers/promises'

const counts = z.record(z.string(), z.number().int().nonnegative())

const scanSchema = z.object({
  scanId: z.string().min(1),
  provider: z.string(),
  status: z.enum(scanStatuses),
  startedAtMs: z.number(),
  finishedAtMs: z.number().nullable(),
  planned: z.number(),
  delivered: z.number(),
  repeated: z.number(),
  refused: z.number(),
  contracts: z.number(),
  rejectsByReason: counts,
  refusalsByReason: counts,
})

/**
 * Writes scan summaries to `scans_v1` as they come. A durable consumer shared by all processors: a summary is acknowledged
 * after it is in the table, and one written twice is the same row of the same version.
 */
export async function runScanSink(bus: Bus, store: Store, log: Logger, signal: AbortSignal): Promise<void> {
  await using source = await openDurable(bus, {
    stream: 'SCAN_RESULTS',
    durable: 'scan-sink',
    filterSubject: 'scans.summary.>',
  })
  signal.addEventListener('abort', () => void source[Symbol.asyncDispose](), { once: true })
  for await (const message of source) {
    const scan = scanSchema.safeParse(decodeJson(message.payload))
    if (!scan.success) {
      log.error({ streamSeq: message.streamSeq, problem: z.prettifyError(scan.error) }, 'scan summary refused')
      await message.ack()
      continue
    }
    await storeWithRetry(store, log, { ...scan.data, version: message.streamSeq }, signal)
    await message.ack()
  }
}

type ScanRow = z.output<typeof scanSchema> & { readonly version: number }

async function storeWithRetry(store: Store, log: Logger, scan: ScanRow, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await storeScan(store, scan)
    } catch (error) {
      if (!(error instanceof StoreError) || !error.retryable) throw error
      log.warn({ err: error, scanId: scan.scanId, attempt }, 'scan summary not stored yet')
      await delay(Math.min(5000, 100 * 2 ** attempt), undefined, { signal })
    }
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
