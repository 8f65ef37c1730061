import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { ColumnBuffer } from './column-buffer.ts'
import type { ColumnKindName } from './column-kinds.ts'

/** What the column holds, as ClickHouse will read it: integers scaled, null where missing. */
function stored(column: ColumnBuffer): readonly (number | null)[] {
  const { values, nulls } = column.toNative()
  return Array.from(values as ArrayLike<number | bigint>, (value, i) => (nulls?.[i] === 1 ? null : Number(value)))
}

const cents = fc.integer({ min: -20_000_000, max: 2_000_000_000 }).map((value) => value / 100)
const cell = fc.oneof({ arbitrary: cents, weight: 5 }, { arbitrary: fc.constant(NaN), weight: 1 })

describe('column buffer', () => {
  test.prop([fc.array(fc.array(cell, { maxLength: 300 }), { maxLength: 12 })])(
    'stores every price exactly as its scaled integer, by whole arrays as one by one',
    (chunks) => {
      const whole = new ColumnBuffer('bid', 'price')
      const single = new ColumnBuffer('bid', 'price')
      for (const chunk of chunks) {
        whole.appendAll(Float64Array.from(chunk))
        for (const value of chunk) single.append(value)
      }
      const expected = chunks.flat().map((value) => (Number.isNaN(value) ? null : Math.round(value * 100) * 100))
      expect(stored(whole)).toEqual(expected)
      expect(stored(single)).toEqual(expected)
    },
  )

  it.each<[ColumnKindName, number[], (number | null)[], number]>([
    ['ratio', [0.25, -9999.99999, 10_000, NaN], [25_000, -999_999_999, null, null], 1],
    ['count', [0, 4_294_967_295, 4_294_967_296, -1], [0, 4_294_967_295, null, null], 2],
    ['price', [4.35, -0.01, 214_748_364_700, NaN], [43_500, -100, 2_147_483_647_000_000, null], 0],
    ['float', [0.1, -1e300, NaN], [0.1, -1e300, null], 0],
    ['second', [0, 1_782_142_457, NaN], [0, 1_782_142_457, null], 0],
  ])('keeps what fits a %s column, and counts what does not as missing', (kind, values, expected, outOfRange) => {
    const byArray = new ColumnBuffer('x', kind)
    byArray.appendAll(Float64Array.from(values))
    expect(stored(byArray)).toEqual(expected)
    expect(byArray.outOfRange).toBe(outOfRange)
    const byValue = new ColumnBuffer('x', kind)
    for (const value of values) byValue.append(value)
    expect(stored(byValue)).toEqual(expected)
    expect(byValue.outOfRange).toBe(outOfRange)
  })

  it('names each distinct string once, however often it comes', () => {
    const column = new ColumnBuffer('underlying', 'text')
    column.appendText('SPY', 3)
    column.appendTexts(['SPY', 'QQQ'], Int16Array.of(1, 0, 1))
    expect(column.toNative().dictionary).toEqual(['SPY', 'QQQ'])
    expect(stored(column)).toEqual([0, 0, 0, 1, 0, 1])
  })

  it('forgets everything at a reset, also what was missing', () => {
    const column = new ColumnBuffer('iv', 'ratio')
    column.appendAll(Float64Array.of(NaN, NaN, 1e9))
    column.reset()
    column.appendAll(Float64Array.of(0.5))
    column.append(0.75, 2)
    expect(stored(column)).toEqual([50_000, 75_000, 75_000])
    expect(column.outOfRange).toBe(0)
  })

  it.each<ColumnKindName>(['ratio', 'price', 'float', 'count'])(
    'holds a zero where a %s is missing, whatever an earlier flush has left there',
    (kind) => {
      const column = new ColumnBuffer('x', kind)
      column.appendAll(Float64Array.of(7, 8, 9))
      column.reset()
      column.appendAll(Float64Array.of(1, NaN))
      column.append(null)
      const { values, nulls } = column.toNative()
      expect(Array.from(nulls ?? [])).toEqual([0, 1, 1])
      expect(Array.from(values as ArrayLike<number | bigint>, Number).slice(1)).toEqual([0, 0])
    },
  )
})
