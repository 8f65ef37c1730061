import { expect, it } from 'vitest'
import { partitionOfUnderlying, rawSubject } from '../../../shared/bus/subjects.ts'
import { systemClock } from '../../../shared/runtime/clock.ts'
import { createRegistry } from '../../../shared/runtime/metrics.ts'
import type { CollectorBoot } from '../../../shared/store/queries/ledger.ts'
import { type DeliveryStage, openStage } from '../../../tests/support/delivery-stage.ts'
import { ledgerOf } from '../../../tests/support/ledger.ts'
import { silentLog } from '../../../tests/support/nats.ts'
import { LossWatch } from './loss-watch.ts'
import { createLedgerMetrics } from './metrics.ts'
import { type SlotFact, storeFacts } from './slot-rows.ts'

const firstSlotMs = Date.parse('2026-11-16T15:00:00Z')
const waiting = 1_000

const boot: CollectorBoot = {
  provider: 'venue',
  instance: 'collector',
  boot: '1',
  live: false,
  zone: 'UTC',
  intervalMs: 1_000,
  delayMs: 0,
  underlyings: [],
  ownIntervalsMs: {},
  plannedFromMs: firstSlotMs,
  lastStartedMs: firstSlotMs + waiting * 1_000,
  lastAcked: 0,
  duplicates: 0,
  ended: false,
  reportedAtMs: firstSlotMs,
}

const pendingFact = (i: number, streamSeq: number): SlotFact => ({
  provider: 'venue',
  underlying: `U${i}`,
  slotMs: firstSlotMs + i * 1_000,
  day: 20_773,
  intervalMs: 1_000,
  coverage: 'published',
  state: 'pending',
  reason: '',
  detail: '',
  streamSeq,
})

const watchOf = ({ bus, store, publisher }: DeliveryStage): LossWatch =>
  new LossWatch({
    bus,
    store,
    publisher,
    clock: systemClock,
    log: silentLog,
    metrics: createLedgerMetrics(createRegistry('test')),
    settings: { partitions: 16, slotGraceMs: 0, ledgerIntervalMs: 100, ledgerSettleMs: 0 },
  })

it('finds what was lost of a market that was set back', async () => {
  await using stage = await openStage()
  const watch = watchOf(stage)
  await watch.look([boot])
  const dayMs = 86_400_000
  const again = { ...boot, boot: '2', plannedFromMs: firstSlotMs - dayMs, lastStartedMs: firstSlotMs - dayMs }
  const lost = { ...pendingFact(0, 99_999), slotMs: firstSlotMs - dayMs }
  await storeFacts(stage.store, [lost])
  const boots = [boot, { ...again, reportedAtMs: boot.reportedAtMs + 1_000 }]
  await watch.look(boots)
  await watch.look(boots)
  expect(await ledgerOf(stage.store)).toEqual(['U0 2026-11-15 15:00 missing publisher_hole'])
})

it('finds what was lost behind a thousand chains that wait in the stream and that nobody reads', async () => {
  await using stage = await openStage()
  const { bus, store, publisher } = stage
  const facts = await Promise.all(
    Array.from({ length: waiting }, async (_, i) => {
      const subject = rawSubject(partitionOfUnderlying(`U${i}`), 'venue', `U${i}`)
      const { acked } = await publisher.enqueue(subject, new Uint8Array(1), { messageId: `m${i}` })
      return pendingFact(i, (await acked).streamSeq)
    }),
  )
  await storeFacts(store, [...facts, pendingFact(waiting, 99_999)])
  const watch = watchOf(stage)
  const missing = async () => (await ledgerOf(store)).filter((line) => line.includes('missing'))
  await watch.look([boot])
  expect(await missing()).toEqual([])
  await watch.look([boot])
  expect(await missing()).toEqual([`U${waiting} 2026-11-16 15:16 missing publisher_hole`])
  await publisher.flush()
  await bus.jsm.streams.purge('CHAINS', { seq: 2 })
  await watch.look([boot])
  expect(await missing()).toContain('U0 2026-11-16 15:00 missing retention')
})
