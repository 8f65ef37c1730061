import { describe, expect, it } from 'vitest'
import { type DocumentState, isDue, noticed, unwritten } from './schedule.ts'

const timing = { intervalMs: 300_000, settleMs: 5000 }
const written: DocumentState = { ...unwritten, writtenKey: 'a', writtenAtMs: 0 }

const due = (state: DocumentState, look: { nowMs: number; key: string; isQuiet: boolean }, settleMs = 5000): boolean =>
  isDue(noticed(state, look), look, { ...timing, settleMs })

describe('a document is written', () => {
  it('at once when it never was', () => {
    expect(due(unwritten, { nowMs: 0, key: 'a', isQuiet: false })).toBe(true)
  })

  it('after the interval though nothing changed', () => {
    expect(due(written, { nowMs: 299_999, key: 'a', isQuiet: true })).toBe(false)
    expect(due(written, { nowMs: 300_000, key: 'a', isQuiet: true })).toBe(true)
  })

  it('on a change once commits have come to rest', () => {
    expect(due(written, { nowMs: 1000, key: 'b', isQuiet: false })).toBe(false)
    expect(due(written, { nowMs: 1000, key: 'b', isQuiet: true })).toBe(true)
  })

  it('on a change after the settling time though commits and changes never rest', () => {
    let state = written
    for (let nowMs = 1000; nowMs < 6000; nowMs += 1000) {
      const look = { nowMs, key: `b${nowMs}`, isQuiet: false }
      state = noticed(state, look)
      expect(isDue(state, look, timing)).toBe(false)
    }
    expect(due(state, { nowMs: 6000, key: 'c', isQuiet: false })).toBe(true)
  })

  it('on a change at once when it does not settle', () => {
    expect(due(written, { nowMs: 1, key: 'b', isQuiet: false }, 0)).toBe(true)
  })

  it('not again before its retry time after a failure', () => {
    const failed = { ...unwritten, retryAtMs: 2000 }
    expect(due(failed, { nowMs: 1999, key: 'a', isQuiet: true })).toBe(false)
    expect(due(failed, { nowMs: 2000, key: 'a', isQuiet: true })).toBe(true)
  })
})
