import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Store, StoreError } from '../../../shared/store/connect.ts'
import { featureParams, processorSettings } from '../config.ts'
import { noRows } from '../delivery/ports.ts'
import { createProgram } from './program.ts'

const settings = processorSettings.parse({})
const known = { codeVersion: '1+1', parameters: featureParams(settings), text: '' }

/** A scratch database whose inserts end as they are told. */
function programOn(insert: () => Promise<void>) {
  const store = { insert } as unknown as Store
  const program = createProgram(store, known, settings, () => {})
  const add = (streamSeq: number): void => {
    const delivery = { streamSeq, previousSeq: 0, messageId: `m${streamSeq}`, publishedAtMs: 0, publisher: null }
    const standing = { late: false, contentUnchanged: false, mayBeStored: false }
    const dead = { outcome: 'dead-lettered', reason: 'undecodable', meta: null, content: null } as const
    program.flusher.add({
      processed: { ...dead, partition: 3, delivery, standing, counts: noRows },
      stamp: { epoch: 1, incarnation: 'now' },
      tables: [],
      publishes: [],
    })
  }
  return { program, add }
}

describe('the writing of a replay', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('does not forget what could not be written, though all that came after it was', async () => {
    let inserts = 0
    const { program, add } = programOn(() => {
      inserts += 1
      return inserts === 1 ? Promise.reject(new StoreError('gone', null, null)) : Promise.resolve()
    })
    add(1)
    await vi.advanceTimersByTimeAsync(10_000)
    add(2)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(inserts).toBe(2)
    await expect(program.settled(3)).rejects.toThrow('gone')
  })

  it('ends over a disk that stays full', async () => {
    const full = new StoreError('no space left', null, 243)
    const { program, add } = programOn(() => Promise.reject(full))
    add(1)
    await vi.advanceTimersByTimeAsync(120_000)
    await expect(program.failed).rejects.toThrow('no space left')
  })
})
