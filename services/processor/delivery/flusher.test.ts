import { describe, expect, it } from 'vitest'
import { createVirtualTimers, type VirtualTimers } from '../../../tests/support/virtual-timers.ts'
import { type Addition, Flusher } from './flusher.ts'
import { type Batch, noRows, WriteFailure } from './ports.ts'

interface CountingBatch extends Batch {
  seqs: number[]
}

function createBatch(rowsEach: number): CountingBatch {
  const seqs: number[] = []
  return {
    seqs,
    get messages() {
      return seqs.length
    },
    get rows() {
      return seqs.length * rowsEach
    },
    add: ({ delivery }) => void seqs.push(delivery.streamSeq),
    filled: () => [],
    reset: () => void (seqs.length = 0),
  }
}

const message = (streamSeq: number, partition = 0): Addition => ({
  processed: {
    partition,
    delivery: { streamSeq, previousSeq: streamSeq - 1, messageId: null, publishedAtMs: 0, publisher: null },
    outcome: 'stored',
    reason: '',
    meta: {
      snapshotId: `s${streamSeq}`,
      underlying: 'T',
      provider: 'test',
      marketTimeMs: 0,
      contentHash: '',
      timeKind: 'market',
    },
    standing: { late: false, contentUnchanged: false, mayBeStored: false },
    counts: noRows,
    content: null,
  },
  stamp: { epoch: 1, incarnation: 'i' },
  tables: [],
  publishes: [],
})

/** A flusher whose writes end when the test says so. */
function stage(timers: VirtualTimers = createVirtualTimers(), rowsEach = 1) {
  const writes: { readonly seqs: readonly number[]; end: (error?: Error) => void }[] = []
  const dropped: number[][] = []
  const flusher = new Flusher({
    createBatch: () => createBatch(rowsEach),
    servers: () => new Map(),
    timers,
    maxRows: 10 * rowsEach,
    maxWaitMs: 200,
    isHeld: () => false,
    onWritten: () => {},
    onDropped: (partitions) => dropped.push([...partitions]),
    write: (batch) =>
      new Promise<void>((resolve, reject) => {
        const end = (error?: Error): void => (error === undefined ? resolve() : reject(error))
        writes.push({ seqs: [...batch.seqs], end })
      }),
  })
  return { timers, flusher, writes, dropped }
}

describe('flusher', () => {
  it('writes after the wait, and collects the rest in one flush while that is being written', async () => {
    const { timers, flusher, writes } = stage()
    flusher.add(message(1))
    await timers.advance(199)
    expect(writes).toHaveLength(1 - 1)
    await timers.advance(1)
    expect(writes.map(({ seqs }) => seqs)).toEqual([[1]])
    for (const seq of [2, 3, 4]) flusher.add(message(seq))
    await timers.advance(1_000)
    expect(writes).toHaveLength(1)
    writes[0]?.end()
    await timers.advance(0)
    expect(writes.map(({ seqs }) => seqs)).toEqual([[1], [2, 3, 4]])
  })

  it('waits for more while many messages are waiting in the stream, and not for ever', async () => {
    const { timers, flusher, writes } = stage()
    for (let seq = 1; seq <= 15; seq += 1) flusher.add({ ...message(seq), isBehind: true })
    await timers.advance(998)
    expect(writes).toHaveLength(1 - 1)
    await timers.advance(2)
    expect(writes.map(({ seqs }) => seqs.length)).toEqual([15])
    writes[0]?.end()
    for (let seq = 16; seq <= 55; seq += 1) flusher.add({ ...message(seq), isBehind: true })
    await timers.advance(0)
    expect(writes.map(({ seqs }) => seqs.length)).toEqual([15, 40])
  })

  it('writes what is old enough as soon as nothing more waits in the stream', async () => {
    const { timers, flusher, writes } = stage()
    flusher.add({ ...message(1), isBehind: true })
    await timers.advance(300)
    expect(writes).toHaveLength(1 - 1)
    flusher.add(message(2))
    expect(writes.map(({ seqs }) => seqs)).toEqual([[1, 2]])
  })

  it('does not let who is up to date wait for those who are behind', async () => {
    const { timers, flusher, writes } = stage()
    flusher.add(message(1))
    flusher.add({ ...message(2), isBehind: true })
    await timers.advance(200)
    expect(writes.map(({ seqs }) => seqs)).toEqual([[1, 2]])
  })

  it('does not lend a new epoch to what was added under the one before', () => {
    const { flusher } = stage()
    flusher.add(message(1, 3))
    const again = { ...message(2, 3), stamp: { epoch: 2, incarnation: 'i' } }
    expect(() => flusher.add(again)).toThrow('Expected epoch 1 in this flush, was 2')
  })

  it('grows slowly again after a flush was too large for the sink', async () => {
    const { timers, flusher, writes } = stage(createVirtualTimers(), 1_000)
    const sizes: number[] = []
    for (let seq = 1; seq <= 40; seq += 1) {
      flusher.add(message(seq))
      const write = writes.at(-1)
      if (writes.length === sizes.length || write === undefined) continue
      sizes.push(write.seqs.length)
      write.end(writes.length === 1 ? new WriteFailure('slow', new Error('too long')) : undefined)
      await timers.advance(0)
    }
    expect(sizes).toEqual([10, 5, 6, 6, 6, 7])
  })

  it('finds the message whose values the sink refuses, by halves, and stores all others', async () => {
    const { timers, flusher, writes, dropped } = stage()
    const hostile = new Set([5, 6])
    const stored: number[] = []
    const isKnown = (streamSeq: number): boolean =>
      flusher.unstorable.refusalOf({ partition: streamSeq % 3, incarnation: 'i', streamSeq }) !== null
    let [handled, next] = [0, 1]
    // As delivery does: everything that is not stored is read again from the first of it on.
    for (let round = 0; round < 300 && stored.length < 62; round += 1) {
      while (flusher.hasRoom && next <= 64) {
        if (!isKnown(next)) flusher.add(message(next, next % 3))
        next += 1
      }
      await timers.advance(1_000)
      const write = writes[handled]
      if (write === undefined) continue
      handled += 1
      const drops = dropped.length
      const isRefused = write.seqs.some((seq) => hostile.has(seq))
      write.end(isRefused ? new WriteFailure('values', new Error('unknown element of enum')) : undefined)
      await timers.advance(0)
      if (!isRefused) stored.push(...write.seqs)
      if (dropped.length > drops) {
        next = Math.max(0, ...stored) + 1
        handled = writes.length
      }
    }
    expect(Array.from({ length: 64 }, (_, i) => i + 1).filter(isKnown)).toEqual([5, 6])
    expect(stored.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 64 }, (_, i) => i + 1).filter((seq) => !hostile.has(seq)),
    )
    // Ten, five, two, one and once more for the first; the second comes right behind it.
    expect(dropped.length).toBeLessThan(16)
    // The search is over: flushes are as large as before.
    expect(Math.max(...writes.map(({ seqs }) => seqs.length))).toBeGreaterThanOrEqual(10)
  })

  it('holds what the readers of other partitions have in hand in flushes of their own during the search', async () => {
    const { timers, flusher, writes, dropped } = stage()
    flusher.add(message(1, 1))
    flusher.add(message(2, 2))
    await timers.advance(200)
    writes[0]?.end(new WriteFailure('values', new Error('overflow')))
    await timers.advance(0)
    for (const seq of [1, 2, 3]) flusher.add(message(seq, seq))
    expect(flusher.hasRoom).toBe(false)
    expect(flusher.holds('s1') && flusher.holds('s2') && flusher.holds('s3')).toBe(true)
    writes[1]?.end()
    await timers.advance(0)
    expect(writes.map(({ seqs }) => seqs)).toEqual([[1, 2], [1], [2]])
    writes[2]?.end(new WriteFailure('values', new Error('overflow')))
    await timers.advance(0)
    // The partition of the message, and apart from it that of the flush behind it.
    expect(dropped).toEqual([[1, 2], [2], [3]])
  })

  it('knows what it holds until it is written', async () => {
    const { timers, flusher, writes } = stage()
    flusher.add(message(1))
    expect(flusher.holds('s1')).toBe(true)
    await timers.advance(200)
    expect(flusher.holds('s1')).toBe(true)
    writes[0]?.end()
    await timers.advance(0)
    expect(flusher.holds('s1')).toBe(false)
  })

  it('writes at once what somebody waits for, and says when it is there', async () => {
    const { timers, flusher, writes } = stage()
    flusher.add(message(1, 3))
    const settled = flusher.settled(3)
    expect(writes).toHaveLength(1)
    expect(await flusher.settled(4)).toBe(true)
    writes[0]?.end()
    await timers.advance(0)
    expect(await settled).toBe(true)
  })

  it('drops the open flush with the one that failed, names the partitions of both, and begins afresh', async () => {
    const { timers, flusher, writes, dropped } = stage()
    flusher.add(message(1, 1))
    await timers.advance(200)
    flusher.add(message(2, 2))
    const settled = flusher.settled(2)
    writes[0]?.end(new WriteFailure('lost', new Error('no answer')))
    await timers.advance(0)
    expect(dropped).toEqual([[1, 2]])
    expect(await settled).toBe(false)
    expect(flusher.holds('s2')).toBe(false)
    flusher.add(message(3, 1))
    await timers.advance(200)
    expect(writes.map(({ seqs }) => seqs)).toEqual([[1], [3]])
  })

  it('leaves the flushes of others alone when partitions are abandoned', async () => {
    const { flusher, dropped } = stage()
    flusher.add(message(1, 1))
    await flusher.abandon(new Set([2]), new Error('lost'))
    expect(dropped).toEqual([])
    await flusher.abandon(new Set([1]), new Error('lost'))
    expect(dropped).toEqual([[1]])
  })

  it('has no room while the sink refuses, nor when the open flush is large', async () => {
    const { timers, flusher, writes } = stage()
    flusher.add(message(1))
    await timers.advance(200)
    flusher.stall()
    expect(flusher.hasRoom).toBe(false)
    writes[0]?.end()
    await timers.advance(0)
    expect(flusher.hasRoom).toBe(true)
    for (let seq = 2; seq < 12; seq += 1) flusher.add(message(seq))
    for (let seq = 12; seq < 52; seq += 1) flusher.add(message(seq))
    expect(flusher.hasRoom).toBe(false)
  })
})
