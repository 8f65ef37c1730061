import { describe, expect, it } from 'vitest'
import { noRows } from './ports.ts'
import { deliveryRules } from './rules.ts'

const segment = (previousSeq: number, lastSeq: number) => ({
  partition: 0,
  previousSeq,
  lastSeq,
  lastMessageId: `m${lastSeq}`,
})

describe('the rules of delivery', () => {
  it('the cursor is the end of the first unbroken segment, whatever lies behind a hole', () => {
    const { chainEnd } = deliveryRules
    expect(chainEnd([segment(0, 7), segment(9, 20)], 1, 0)?.lastSeq).toBe(7)
    expect(chainEnd([], 1, 0)).toBeNull()
  })

  it('a chain may begin at what the stream has discarded or where the incarnation begins, and nowhere else', () => {
    const { chainEnd } = deliveryRules
    expect(chainEnd([segment(90, 120)], 100, 0)?.lastSeq).toBe(120)
    expect(chainEnd([segment(140, 160)], 100, 140)?.lastSeq).toBe(160)
    expect(chainEnd([segment(110, 120)], 100, 0)).toBeNull()
  })

  it('a table is left alone only when it has exactly all rows', () => {
    const counts = { ...noRows, quotes: 3, chains: 1 }
    const { tablesToWrite } = deliveryRules
    expect(tablesToWrite(counts, undefined)).toEqual(['quotes', 'chains'])
    expect(tablesToWrite(counts, { ...noRows, quotes: 3 })).toEqual(['chains'])
    expect(tablesToWrite(counts, { ...noRows, quotes: 2, chains: 2 })).toEqual(['quotes', 'chains'])
  })

  it('a message absent at the cursor is not the committed one', () => {
    expect(deliveryRules.isSameMessage('id', '')).toBe(false)
    expect(deliveryRules.isSameMessage('id', 'id')).toBe(true)
  })
})
