import { describe, expect, it } from 'vitest'
import { silentLog } from '../../tests/support/nats.ts'
import { openStage } from '../../tests/support/delivery-stage.ts'
import { runScanSink } from './scan-sink.ts'

describe('the sink of scan summaries', () => {
  it('ends when it is told to stop while it opens its consumer', async () => {
    await using stage = await openStage()
    const stop = new AbortController()
    const running = runScanSink(stage.bus, stage.store, silentLog, stop.signal)
    stop.abort()
    await expect(running).resolves.toBeUndefined()
  })
})
