import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { startTestNats } from '../../tests/support/nats.ts'
import type { Alert } from '../model/alert.ts'
import { encodeJson } from './messages.ts'
import { createPublisher } from './publisher.ts'
import { alertSubject } from './subjects.ts'
import { ensureStreams } from './streams.ts'

const run = promisify(execFile)
const example = join(import.meta.dirname, '../../examples/alert-subscriber.mjs')

const alertOf = (id: string, underlying: string): Alert => ({
  specversion: '1.0',
  id,
  source: 'strikeflow/test',
  type: 'io.strikeflow.alert.v1',
  subject: underlying,
  time: '2026-06-18T15:30:00.000Z',
  datacontenttype: 'application/json',
  data: {
    detector: 'iv_spike',
    detectorVersion: 1,
    parametersHash: '0'.repeat(16),
    severity: 'critical',
    score: 87,
    underlying,
    provider: 'simulator',
    scanId: 's1',
    inputs: [],
    message: `Implied volatility of ${underlying} jumped`,
    evidence: {},
    quality: 100,
    contractCompleteness: 1,
    slotCompleteness: 1,
    stalenessS: 0,
    replayed: false,
  },
})

it('the example for downstream users prints alerts, and goes on where it stopped', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  const publisher = createPublisher(bus, { publisherId: 'test/1' })
  for (const underlying of ['SPY', 'BRK.B', 'QQQ']) {
    const alert = alertOf(`id-${underlying}`, underlying)
    await publisher.publish(alertSubject(alert.data), encodeJson(alert), { messageId: alert.id })
  }
  const subscribe = async (count: number): Promise<string[]> => {
    const { stdout } = await run(process.execPath, [
      example,
      '--server',
      nats.url,
      '--replay',
      '--count',
      String(count),
    ])
    return stdout.trim().split('\n')
  }
  expect(await subscribe(2)).toEqual([
    '2026-06-18T15:30:00.000Z  critical SPY    iv_spike  score 87  Implied volatility of SPY jumped',
    '2026-06-18T15:30:00.000Z  critical BRK.B  iv_spike  score 87  Implied volatility of BRK.B jumped',
  ])
  const alert = alertOf('id-IWM', 'IWM')
  await publisher.publish(alertSubject(alert.data), encodeJson(alert), { messageId: alert.id })
  // QQQ went out to the first run already and comes back only after the wait for its acknowledgement.
  expect(await subscribe(1)).toEqual([expect.stringContaining('IWM')])
})
