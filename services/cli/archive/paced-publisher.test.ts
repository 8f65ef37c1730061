import { describe, expect, it } from 'vitest'
import { createPacedPublisher, unreadBytesOf } from './paced-publisher.ts'

/** A stream of 100 kB whose reader commits a tenth of what is unread each time it is asked. */
function testStream(ack: () => Promise<{ streamSeq: number; duplicate: boolean }>) {
  const seen = { stored: 0, committed: 0, mostUnread: 0, asked: 0 }
  return {
    seen,
    publisher: {
      enqueueAgain: () => {
        seen.stored += 1
        seen.mostUnread = Math.max(seen.mostUnread, seen.stored - seen.committed)
        return Promise.resolve({ acked: ack() })
      },
      flush: () => Promise.resolve(),
    },
    committed: () => {
      seen.asked += 1
      seen.committed += Math.ceil((seen.stored - seen.committed) / 10)
      return Promise.resolve(seen.committed)
    },
  }
}

const stream = { maxBytes: 100_000, unreadBytes: 0 }
/** With its overhead 1,000 bytes: fifty are half of the stream. */
const payload = new Uint8Array(488)
const stored = () => Promise.resolve({ streamSeq: 1, duplicate: false })

describe('a restore into a stream with a limit', () => {
  it('never has more than half of the stream unread', async () => {
    const { publisher, committed, seen } = testStream(stored)
    const paced = createPacedPublisher({ publisher, stream, committed, pollMs: 1 })
    for (let i = 0; i < 1000; i++) await paced.publish('s', payload, new Map())
    expect(await paced.finish()).toEqual({ messages: 1000, duplicates: 0 })
    expect(seen.mostUnread).toBeLessThanOrEqual(50)
    expect(seen.asked).toBeLessThan(500)
  })

  it('asks nobody while there is room, and goes no further when nobody can say', async () => {
    const { publisher, seen } = testStream(stored)
    const paced = createPacedPublisher({ publisher, stream, committed: null })
    for (let i = 0; i < 50; i++) await paced.publish('s', payload, new Map())
    await expect(paced.publish('s', payload, new Map())).rejects.toThrow('CLICKHOUSE_URL')
    expect(seen.stored).toBe(50)
  })

  it('does not wait for copies the stream did not take', async () => {
    const { publisher } = testStream(() => Promise.resolve({ streamSeq: 1, duplicate: true }))
    const paced = createPacedPublisher({ publisher, stream, committed: () => Promise.resolve(0), pollMs: 1 })
    for (let i = 0; i < 200; i++) await paced.publish('s', payload, new Map())
    expect(await paced.finish()).toEqual({ messages: 200, duplicates: 200 })
  })

  it('ends with the failure of a message', async () => {
    const { publisher, committed } = testStream(() => Promise.reject(new Error('no room')))
    const paced = createPacedPublisher({ publisher, stream, committed })
    await paced.publish('s', payload, new Map())
    await expect(paced.finish()).rejects.toThrow('no room')
  })
  it('waits for nobody over what the stream keeps and everybody has read', async () => {
    const full = { maxBytes: 100_000, bytes: 90_000, messages: 90 }
    expect(unreadBytesOf(full, null)).toBe(90_000)
    expect(unreadBytesOf(full, 90)).toBe(0)
    expect(unreadBytesOf(full, 500)).toBe(0)
    expect(unreadBytesOf(full, 45)).toBe(45_000)
    expect(unreadBytesOf({ ...full, bytes: 0, messages: 0 }, 0)).toBe(0)

    const { publisher, committed, seen } = testStream(stored)
    const paced = createPacedPublisher({
      publisher,
      stream: { maxBytes: full.maxBytes, unreadBytes: unreadBytesOf(full, 90) },
      committed,
      pollMs: 1,
    })
    for (let i = 0; i < 50; i++) await paced.publish('s', payload, new Map())
    expect(seen.asked).toBe(0)
  })
})
