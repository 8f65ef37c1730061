import { fc, test } from '@fast-check/vitest'
import { describe, expect, it } from 'vitest'
import { StrikeflowError } from './errors.ts'
import type { ChainColumns, Snapshot } from './snapshot.ts'
import { decodeSnapshot, encodeSnapshot, snapshotSchema } from './snapshot-codec.ts'

const cell = fc.oneof({ arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }), weight: 4 }, fc.constant(NaN))

const snapshotOf = (length: number, cells: readonly number[]): Snapshot => {
  const floats = (): Float64Array =>
    Float64Array.from({ length }, (_, i) => cells[i % Math.max(cells.length, 1)] ?? NaN)
  const amounts = (): Float64Array => floats().map(Math.abs)
  const columns: ChainColumns = {
    length,
    roots: ['SPX', 'SPXW'],
    rootIndex: Int16Array.from({ length }, (_, i) => i % 2),
    expiryDay: Int32Array.from({ length }, (_, i) => 20_000 + i),
    right: Int8Array.from({ length }, (_, i) => 1 + (i % 2)),
    flags: Uint16Array.from({ length }, (_, i) => i % 7),
    expiryAtS: Float64Array.from({ length }, (_, i) => (20_000 + i) * 86_400),
    strike: Float64Array.from({ length }, (_, i) => 100 + (i % 3) / 2),
    bid: amounts(),
    ask: amounts(),
    bidSize: amounts(),
    askSize: amounts(),
    last: amounts(),
    lastTradeAtS: floats(),
    volume: amounts(),
    openInterest: amounts(),
    providerIv: floats(),
    providerDelta: floats(),
    providerGamma: floats(),
    providerTheta: floats(),
    providerVega: floats(),
    providerRho: floats(),
  }
  return {
    meta: {
      snapshotId: '0b9d1e9c-7d2c-8a11-8000-000000000001',
      scanId: 'scan',
      provider: 'test',
      underlying: 'M&M',
      spot: null,
      timeKind: 'market',
      providerTimeMs: 1,
      delayMs: 0,
      marketTimeMs: 1,
      receivedAtMs: 2,
      sessionDate: '2026-06-22',
      exchangeZone: 'America/New_York',
      contentHash: 'ab',
      multiplier: 100,
      listed: length,
      rejects: [{ symbol: 'x', reason: 'bad_symbol', detail: 'é' }],
    },
    columns,
  }
}

describe('snapshot codec', () => {
  test.prop([fc.nat({ max: 300 }), fc.array(cell, { maxLength: 20 }), fc.nat({ max: 7 })])(
    'gives back every value and every missing one, wherever the message lies in its buffer',
    (length, cells, offset) => {
      const snapshot = snapshotOf(length, cells)
      const { payload, contentEncoding } = encodeSnapshot(snapshot)
      const carrier = new Uint8Array(payload.byteLength + offset)
      carrier.set(payload, offset)
      expect(decodeSnapshot(carrier.subarray(offset), contentEncoding, snapshotSchema)).toEqual(snapshot)
    },
  )

  it('packs a real-sized chain well under a message', () => {
    const { payload, contentEncoding } = encodeSnapshot(snapshotOf(5000, [1.25, NaN, 3.5]))
    expect(contentEncoding).toBe('zstd')
    expect(payload.byteLength).toBeLessThan(1024 * 1024)
  })

  test.prop([fc.uint8Array({ maxLength: 400 }), fc.constantFrom(null, 'identity', 'zstd', 'br')])(
    'refuses garbage with a decode error and nothing else',
    (bytes, encoding) => {
      expect(() => decodeSnapshot(bytes, encoding, snapshotSchema)).toThrow(StrikeflowError)
    },
  )

  test.prop([fc.nat(), fc.nat({ max: 255 })])(
    'survives a damaged message without another kind of error',
    (at, byte) => {
      const { payload, contentEncoding } = encodeSnapshot(snapshotOf(20, [1, 2]))
      payload[at % payload.byteLength] = byte
      try {
        decodeSnapshot(payload, contentEncoding, snapshotSchema)
      } catch (error) {
        expect(error).toBeInstanceOf(StrikeflowError)
      }
    },
  )

  it('gives back a chain without a contract', () => {
    const { columns, meta } = snapshotOf(0, [])
    for (const roots of [[], ['SPX']]) {
      const snapshot = { meta, columns: { ...columns, roots } }
      const { payload, contentEncoding } = encodeSnapshot(snapshot)
      expect(decodeSnapshot(payload, contentEncoding, snapshotSchema)).toEqual(snapshot)
    }
  })

  it('refuses a schema it does not know', () => {
    const { payload, contentEncoding } = encodeSnapshot(snapshotOf(1, [1]))
    expect(() => decodeSnapshot(payload, contentEncoding, '2')).toThrow(/schema 1, was "2"/)
  })
})
