import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openOrderedSource } from '../../shared/bus/ordered-source.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { Random } from '../simulation/random.ts'
import { startTestNats, type TestNats } from '../support/nats.ts'
import { waitFor } from '../support/wait-for.ts'
import { print, printAgainWhenFailed, seed, sized, suiteAgain } from '../torture/size.ts'

const kills = sized(20, 200)
const leastAcked = sized(10_000, 100_000)
const writers = 16

interface Written {
  readonly attempted: Map<string, string[]>
  readonly acked: Set<string>
  retries: number
  duplicates: number
}

describe('nats-server killed while it stores', { timeout: 900_000 }, () => {
  printAgainWhenFailed(suiteAgain('nats-kills.test.ts'))

  it(`loses, doubles and reorders nothing that was acknowledged, ${kills} times`, async () => {
    await using nats = await startTestNats()
    const bus = await nats.connect()
    await ensureStreams(bus, 'embedded')
    const written: Written = { attempted: new Map(), acked: new Set(), retries: 0, duplicates: 0 }
    const stop = new AbortController()
    const writing = write(nats, written, stop.signal)
    const random = new Random(seed)
    for (let i = 0; i < kills; i += 1) {
      const before = written.acked.size
      await waitFor('acknowledgements', () => written.acked.size >= before + leastAcked / kills, {
        intervalMs: 5,
      })
      await delay(random.between(0, 100))
      await nats.kill()
      await nats.restart()
    }
    stop.abort()
    await writing
    const { stored, outOfOrder, last } = await read(nats)
    const doubled = [...stored.values()].filter((times) => times > 1).length
    const lost = [...written.acked].filter((id) => !stored.has(id))
    const attempted = new Set([...written.attempted.values()].flat())
    const unexpected = [...stored.keys()].filter((id) => !attempted.has(id))
    print(
      `nats-server: seed ${seed}, ${kills} kills, attempted ${attempted.size}, acknowledged ${written.acked.size}, stored ${last}, lost ${lost.length}, doubled ${doubled}, out of order ${outOfOrder}, unexpected ${unexpected.length}, retries ${written.retries}, acknowledged as duplicates ${written.duplicates}`,
    )
    const problems = { lost, doubled, outOfOrder, unexpected }
    expect(problems).toEqual({ lost: [], doubled: 0, outOfOrder: 0, unexpected: [] })
    expect(written.acked.size).toBeGreaterThanOrEqual(leastAcked)
  })
})

/** Each writer its own subject, message after message, several on their way at a time. */
async function write(nats: TestNats, written: Written, stop: AbortSignal): Promise<void> {
  const bus = await nats.connect('writers')
  const payload = new Uint8Array(2_000)
  const publisher = createPublisher(bus, {
    publisherId: 'torture/writers',
    deadlineMs: 300_000,
    timeoutMs: 1_000,
    onRetry: () => (written.retries += 1),
  })
  const one = async (writer: number): Promise<void> => {
    const own: string[] = []
    written.attempted.set(String(writer), own)
    while (!stop.aborted) {
      const messageId = `${writer}-${own.length}`
      own.push(messageId)
      const subject = `chains.raw.${writer}.test.W${writer}`
      const { duplicate } = await publisher.publish(subject, payload, { messageId })
      if (duplicate) written.duplicates += 1
      written.acked.add(messageId)
    }
  }
  await Promise.all(Array.from({ length: writers }, (_, writer) => one(writer)))
}

async function read(nats: TestNats) {
  const bus = await nats.connect('reader')
  const { lastSeq } = await streamInfo(bus, 'CHAINS')
  await using source = await openOrderedSource(bus, { stream: 'CHAINS', filterSubject: 'chains.raw.>', fromSeq: 1 })
  const stored = new Map<string, number>()
  const newest = new Map<string, number>()
  let outOfOrder = 0
  for await (const { messageId, streamSeq } of source) {
    const [writer = '', n = ''] = (messageId ?? '').split('-')
    stored.set(messageId ?? '', (stored.get(messageId ?? '') ?? 0) + 1)
    if (Number(n) < (newest.get(writer) ?? -1)) outOfOrder += 1
    newest.set(writer, Number(n))
    if (streamSeq >= lastSeq) break
  }
  return { stored, outOfOrder, last: lastSeq }
}
