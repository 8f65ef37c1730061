import { describe, expect, it } from 'vitest'
import { LagWatch } from '../../services/processor/lag-watch.ts'
import { createMetrics } from '../../services/processor/metrics.ts'
import { decodeJson, nextMessage } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import type { Gap } from '../../shared/model/gap.ts'
import { systemClock, systemTimers } from '../../shared/runtime/clock.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import { chainMessages, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'

const env = { PROCESSOR_LAG_CHECK_MS: '100', PROCESSOR_LAG_NEAR_SHARE: '0.000000001' } as const

describe('a processor that CHAINS is about to overtake', () => {
  it('tells what was discarded before it was read, is degraded, and goes on with what is there', async () => {
    await using stage = await openStage()
    const first = await stage.start('first')
    await stage.publish(chainMessages(8, 5))
    await waitForCommits(stage, 40)
    await first.stop()
    await stage.publish(chainMessages(8, 5, 5))
    // As the stream does by itself when it is full: messages 41 to 59 go unread.
    await stage.bus.jsm.streams.purge('CHAINS', { seq: 60 })
    const second = await stage.start('second', { ...env, PROCESSOR_LAG_NEAR_SHARE: '0.8' })
    await waitForCommits(stage, 40 + 21)

    const told = await waitFor('the notice', () => nextMessage(stage.bus, 'QUALITY', 1, 'quality.gap._CHAINS'))
    const gap = decodeJson(told.payload) as Gap
    expect(gap.reason).toBe('retention')
    expect(gap.detail).toMatch(/^messages 41 to 59 of CHAINS .* were discarded before they were processed$/)
    // Shown once the stream has acknowledged the notice.
    await waitFor('the degraded readiness', async () =>
      (await second.problems()).includes('CHAINS has discarded 19 messages before they were processed'),
    )
    const metrics = await (await fetch(`${second.healthUrl}/metrics`)).text()
    expect(metrics).toMatch(/^strikeflow_processor_discarded_messages_total\S* 19$/m)
    expect(second.log.map(({ msg }) => msg)).toContain('stream has discarded messages before they were processed')
    // Nothing is told twice, and nobody else's messages are taken for lost.
    const again = await nextMessage(stage.bus, 'QUALITY', told.streamSeq + 1, 'quality.gap._CHAINS')
    expect(again).toBeNull()
  })

  it('counts what was discarded once, however often it could not be told at first', async () => {
    await using stage = await openStage()
    await stage.publish(chainMessages(8, 5))
    await stage.bus.jsm.streams.purge('CHAINS', { seq: 31 })
    // Messages 11 to 20 have commit rows, those around them do not.
    await stage.store.command(
      `INSERT INTO snapshots_v1 (incarnation, partition, stream_seq) SELECT {created:String}, 3, 11 + number FROM numbers(10)`,
      { created: (await streamInfo(stage.bus, 'CHAINS')).created },
    )
    const told: string[] = []
    let refused = 0
    const watch = new LagWatch({
      bus: stage.bus,
      query: stage.store.query,
      publisher: {
        async publish(_subject, _payload, { messageId }) {
          // The second run is refused twice.
          if (told.length === 1 && refused++ < 2) throw new Error('no answer')
          told.push(messageId.split('/').at(-1) ?? '')
          return { streamSeq: told.length, duplicate: false }
        },
      },
      settings: { lagCheckMs: 100, lagNearShare: 0.8 },
      clock: systemClock,
      timers: systemTimers,
      log: createLogger({ service: 'test', level: 'silent' }),
      metrics: createMetrics(createRegistry('test')),
    })
    const place = { partition: 3, cursor: 1, reached: 40 }
    for (let i = 0; i < 5; i++) await watch.look([place]).catch(() => {})
    expect(told).toEqual(['2-10', '21-30'])
    expect(watch.problems()).toEqual(['CHAINS has discarded 19 messages before they were processed'])
  })

  it('warns while it cannot write and the stream fills up behind it, and no longer once it has caught up', async () => {
    await using stage = await openStage()
    const processor = await stage.start('slow', env)
    await stage.publish(chainMessages(8, 2))
    await waitForCommits(stage, 16)
    await stage.store.command('RENAME TABLE chain_features_v1 TO elsewhere')
    await stage.publish(chainMessages(8, 2, 2))
    await waitFor('the failure', async () => (await processor.problems()).join().includes('stopped'))
    await stage.publish(chainMessages(8, 10, 4))
    await waitFor('the warning', async () => (await processor.problems()).join().includes('about to discard'))
    expect(processor.log.map(({ msg }) => msg)).toContain('stream is about to discard messages that are not processed')
    await stage.store.command('RENAME TABLE elsewhere TO chain_features_v1')
    await waitForCommits(stage, 112)
    await waitFor('no warning', async () => (await processor.problems()).length === 0)
    await processor.stop()
  })
})
