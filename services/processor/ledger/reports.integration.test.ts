import { describe, expect, it } from 'vitest'
import { encodeJson } from '../../../shared/bus/messages.ts'
import { StrikeflowError } from '../../../shared/model/errors.ts'
import { systemClock } from '../../../shared/runtime/clock.ts'
import { createRegistry } from '../../../shared/runtime/metrics.ts'
import { openStage } from '../../../tests/support/delivery-stage.ts'
import { passReportOf } from '../../../tests/support/ledger.ts'
import { silentLog } from '../../../tests/support/nats.ts'
import { waitFor } from '../../../tests/support/wait-for.ts'
import { createLedgerMetrics } from './metrics.ts'
import type { LedgerDeps } from './ports.ts'
import { allReportsRead, consumeReports } from './reports.ts'

const startedAtMs = Date.parse('2026-11-16T15:30:20Z')
/** Five passes of one chain that were left out. */
const report = passReportOf({
  plannedFromMs: startedAtMs - 600_000,
  startedAtMs,
  previousStartedAtMs: startedAtMs - 300_000,
})

describe('the reading of pass reports', () => {
  it('outlives gaps it cannot tell for longer than a publisher tries, and tells them when the report comes again', async () => {
    await using stage = await openStage()
    const { bus, store, publisher } = stage
    let refusals = 0
    const tried: LedgerDeps['publisher'] = {
      ...publisher,
      publish(...args) {
        refusals += 1
        if (refusals > 1) return publisher.publish(...args)
        return Promise.reject(new StrikeflowError('bus', 'NATS is away', { retryable: true }))
      },
    }
    const stop = new AbortController()
    const deps = { bus, store, publisher: tried, clock: systemClock, log: silentLog } as const
    const metrics = createLedgerMetrics(createRegistry('test'))
    const settings = { partitions: 16, slotGraceMs: 0, ledgerIntervalMs: 100, ledgerSettleMs: 0 }
    const running = consumeReports({ ...deps, metrics, settings }, stop.signal)
    await publisher.publish('quality.pass.simulator', encodeJson(report), { messageId: 'r1' })
    await publisher.publish('quality.pass.simulator', encodeJson({ ...report, startedAtMs: 9e15 }), { messageId: 'r2' })
    await waitFor('a refusal', () => refusals > 0)
    await waitFor('all to be read', () => allReportsRead(bus))
    expect(refusals).toBe(2)
    stop.abort()
    await running
  })
})
