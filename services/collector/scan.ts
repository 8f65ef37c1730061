import type { Scan, ScanStatus } from '../../shared/model/scan.ts'
import type { Tally } from './tally.ts'

export interface ScanStart {
  readonly scanId: string
  readonly provider: string
  readonly startedAtMs: number
  readonly planned: number
}

/** The record of a pass as it stands: published whole at its start and at its end, the newest version wins. */
export function scanRecord(start: ScanStart, tally: Tally, status: ScanStatus, finishedAtMs: number | null): Scan {
  return {
    scanId: start.scanId,
    provider: start.provider,
    status,
    startedAtMs: start.startedAtMs,
    finishedAtMs,
    planned: start.planned,
    delivered: tally.snapshots + tally.repeated,
    repeated: tally.repeated,
    refused: tally.refused,
    contracts: tally.contracts,
    rejectsByReason: tally.rejectsByReason,
    refusalsByReason: tally.refusalsByReason,
  }
}

/** A pass that brought nothing of what it set out to fetch has failed. */
export function endStatus({ planned }: ScanStart, tally: Tally, aborted: boolean): ScanStatus {
  if (aborted && tally.files < planned) return 'cancelled'
  return planned > 0 && tally.snapshots + tally.repeated === 0 ? 'failed' : 'completed'
}
