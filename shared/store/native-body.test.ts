import { describe, expect, it } from 'vitest'
import { encodeNative } from './native-body.ts'

const hex = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString('hex')
const text = (value: string): string => Buffer.from([value.length]).toString('hex') + Buffer.from(value).toString('hex')

describe('a block of the Native format', () => {
  it('has columns and rows, then of each column its name, its type and its values', () => {
    const a = { name: 'a', type: 'UInt16', values: Uint16Array.of(1, 0x0203) }
    const b = { name: 'b', type: 'Int8', values: Int8Array.of(-1, 2), nulls: Uint8Array.of(0, 1) }
    expect(hex(encodeNative([a, b], 2))).toBe(
      `0202${text('a')}${text('UInt16')}01000302${text('b')}${text('Nullable(Int8)')}0001ff02`,
    )
  })

  it('names the texts of a dictionary once, and numbers them in the rows', () => {
    const column = { name: 't', type: 'String', values: Int16Array.of(1, 0, 1), dictionary: ['SPY', 'A'] }
    const words = '010000000000000001060000000000000200000000000000'
    expect(hex(encodeNative([column], 3))).toBe(
      `0103${text('t')}${text('LowCardinality(String)')}${words}${text('SPY')}${text('A')}0300000000000000010000000100`,
    )
  })

  it('says of lists where each ends, then what is in them', () => {
    const column = { name: 'l', type: 'UInt8', values: Uint8Array.of(7, 8, 9), ends: BigUint64Array.of(1n, 3n) }
    expect(hex(encodeNative([column], 2))).toBe(
      `0102${text('l')}${text('Array(UInt8)')}01000000000000000300000000000000070809`,
    )
  })

  it('writes a row count of several bytes', () => {
    expect(hex(encodeNative([], 300))).toBe('00ac02')
  })

  it('hands large columns over as they are and gathers small ones', () => {
    const large = { name: 'large', type: 'Float64', values: new Float64Array(10_000) }
    const small = { name: 'small', type: 'Float64', values: Float64Array.of(1) }
    const chunks = encodeNative([small, large, small, small], 10_000)
    expect(chunks).toHaveLength(3)
    expect(chunks[1]?.buffer).toBe(large.values.buffer)
  })

  it('holds a text longer than what is gathered', () => {
    const long = 'x'.repeat(100_000)
    const bytes = Buffer.concat(
      encodeNative([{ name: 't', type: 'String', values: Int16Array.of(0), dictionary: [long] }], 1),
    )
    expect(bytes.includes(long)).toBe(true)
    expect(bytes.length).toBe(2 + 2 + 23 + 4 * 8 + 3 + 100_000 + 2)
  })
})
