import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { Flush } from './flush.ts'
import { type Addition, Flusher } from './flusher.ts'
import { flatParams } from '../../tests/fixtures/quant/parameters.ts'

/** A sink whose writes end when the test says so. */
function createGate() {
  const written: number[][] = []
  const gates: PromiseWithResolvers<void>[] = []
  return {
    written,
    sink: {
      async write(flush: Flush): Promise<void> {
        const gate = Promise.withResolvers<void>()
        gates.push(gate)
        await gate.promise
        written.push([flush.messages])
      },
    },
    begun: () => gates.length,
    release: (index: number, error?: Error) =>
      error === undefined ? gates[index]?.resolve() : gates[index]?.reject(error),
  }
}

const writer = { epoch: 1, codeVersion: 'test', parameters: flatParams(0) }

const message = (streamSeq: number): Addition => ({
  processed: {
    delivery: { streamSeq, previousSeq: streamSeq - 1, messageId: null, publishedAtMs: 0, publisher: null },
    partition: 0,
    outcome: 'dropped',
    reason: 'test',
    snapshot: null,
    standing: { late: false, contentUnchanged: false, mayBeStored: false },
    computed: null,
    alerts: [],
    state: null,
  },
  present: undefined,
  publishes: [],
})

const flusherOf = (sink: { write(flush: Flush): Promise<void> }, maxWaitMs: number): Flusher =>
  new Flusher({ sink, writer, incarnation: 'i', maxRows: 10, maxWaitMs, onWritten: () => {} })

describe('flusher', () => {
  it('writes after the wait, and collects the rest in one flush while that is being written', async () => {
    const gate = createGate()
    const flusher = flusherOf(gate.sink, 20)
    flusher.add(message(1))
    await expect.poll(gate.begun).toBe(1)
    for (const seq of [2, 3, 4]) flusher.add(message(seq))
    await delay(60)
    expect(gate.begun()).toBe(1)
    gate.release(0)
    await expect.poll(gate.begun).toBe(2)
    gate.release(1)
    await flusher.finish()
    expect(gate.written).toEqual([[1], [3]])
  })

  it('writes what is open at the end, and waits for it', async () => {
    const gate = createGate()
    const flusher = flusherOf(gate.sink, 60_000)
    flusher.add(message(1))
    const finished = flusher.finish()
    await expect.poll(gate.begun).toBe(1)
    gate.release(0)
    await finished
    expect(gate.written).toEqual([[1]])
  })

  it('refuses everything after a failed write, and tells who waits', async () => {
    const gate = createGate()
    const flusher = flusherOf(gate.sink, 1)
    flusher.add(message(1))
    await expect.poll(gate.begun).toBe(1)
    const waiting = flusher.roomAgain()
    gate.release(0, new Error('sink is gone'))
    await waiting
    expect(() => flusher.hasRoom).toThrow('sink is gone')
    await expect(flusher.failed).rejects.toThrow('sink is gone')
    await expect(flusher.finish()).rejects.toThrow('sink is gone')
  })
})
