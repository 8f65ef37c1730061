import { describe, expect, it } from 'vitest'
import { assessLag, type LagFacts } from './lag-guard.ts'

const hourMs = 3_600_000
const stream = { firstSeq: 1, lastSeq: 1000, messages: 1000, bytes: 50_000, maxBytes: 100_000, maxAgeMs: 72 * hourMs }
const facts: LagFacts = { stream, cursorSeq: 1000, oldestUnreadAtMs: null, nowMs: 100 * hourMs }

describe('the lag guard', () => {
  it('is content with a reader at the end of the stream', () => {
    expect(assessLag(facts)).toMatchObject({ level: 'ok', messages: 0, bytes: 0, ageMs: 0, lost: null })
  })

  it('counts what is unread in messages, bytes and age', () => {
    const lag = assessLag({ ...facts, cursorSeq: 600, oldestUnreadAtMs: 99 * hourMs })
    expect(lag).toMatchObject({ level: 'ok', messages: 400, bytes: 20_000, ageMs: hourMs, bytesShare: 0.2 })
  })

  it('warns before the bytes are full of what is unread', () => {
    const full = { ...stream, firstSeq: 1001, lastSeq: 3000, messages: 2000, bytes: 100_000 }
    expect(assessLag({ ...facts, stream: full, cursorSeq: 1401 }).level).toBe('ok')
    expect(assessLag({ ...facts, stream: full, cursorSeq: 1400 }).level).toBe('near')
  })

  it('warns before the oldest unread message is too old', () => {
    const at = (ageHours: number): LagFacts => ({
      ...facts,
      cursorSeq: 999,
      oldestUnreadAtMs: (100 - ageHours) * hourMs,
    })
    expect(assessLag(at(57)).level).toBe('ok')
    expect(assessLag(at(58)).level).toBe('near')
    expect(assessLag(at(40), 0.5).level).toBe('near')
  })

  it('says which messages are lost once retention has overtaken the cursor', () => {
    const overtaken = assessLag({ ...facts, stream: { ...stream, firstSeq: 301, messages: 700 }, cursorSeq: 200 })
    expect(overtaken).toMatchObject({ level: 'overtaken', lost: { fromSeq: 201, toSeq: 300 }, messages: 700 })
  })

  it('takes a cursor right before the first message for whole', () => {
    const lag = assessLag({ ...facts, stream: { ...stream, firstSeq: 301, messages: 700 }, cursorSeq: 300 })
    expect(lag.lost).toBe(null)
  })

  it('takes an emptied stream that was read to its end for whole', () => {
    const empty = { ...stream, firstSeq: 1001, lastSeq: 1000, messages: 0, bytes: 0 }
    expect(assessLag({ ...facts, stream: empty })).toMatchObject({ level: 'ok', lost: null })
    expect(assessLag({ ...facts, stream: { ...empty, firstSeq: 1001 }, cursorSeq: 900 }).lost).toEqual({
      fromSeq: 901,
      toSeq: 1000,
    })
  })

  it('knows no danger in a stream without limits', () => {
    const lag = assessLag({
      ...facts,
      stream: { ...stream, maxBytes: -1, maxAgeMs: 0 },
      cursorSeq: 0,
      oldestUnreadAtMs: 0,
    })
    expect(lag).toMatchObject({ level: 'ok', bytesShare: 0, ageShare: 0 })
  })
})
