import { describe, expect, it } from 'vitest'
import { ListBuffer } from './list-buffer.ts'

const rowsOf = (buffer: ListBuffer): number[][] => {
  const { values, ends = new BigUint64Array(0) } = buffer.toNative()
  return Array.from(ends, (end, i) =>
    Array.from((values as Float64Array).subarray(Number(ends[i - 1] ?? 0), Number(end))),
  )
}

describe('a column of lists', () => {
  it('keeps rows of any length apart, empty ones too', () => {
    const buffer = new ListBuffer('figures')
    const rows = [[1, 2, 3], [], [4], [], []]
    for (const row of rows) buffer.appendList(Float64Array.from(row))
    expect(buffer.length).toBe(5)
    expect(rowsOf(buffer)).toEqual(rows)
  })

  it('grows beyond its first capacity in rows and in values', () => {
    const buffer = new ListBuffer('figures')
    const rows = Array.from({ length: 3000 }, (_, i) => Array.from({ length: i % 7 }, (_, j) => i + j / 10))
    for (const row of rows) buffer.appendList(Float64Array.from(row))
    expect(rowsOf(buffer)).toEqual(rows)
  })

  it('starts anew after a reset', () => {
    const buffer = new ListBuffer('figures')
    buffer.appendList(Float64Array.of(1, 2))
    buffer.reset()
    buffer.appendList(Float64Array.of(3))
    expect(rowsOf(buffer)).toEqual([[3]])
  })
})
