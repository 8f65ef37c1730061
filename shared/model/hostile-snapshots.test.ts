import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { chainOf, type ContractInput } from '../../tests/fixtures/quant/chain-builder.ts'
import { type ArrowColumn, arrowTypes, encodeArrow, stringColumn } from './arrow.ts'
import { StrikeflowError } from './errors.ts'
import type { ChainColumns, Snapshot } from './snapshot.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot-codec.ts'

const contracts: readonly ContractInput[] = [95, 100, 105].flatMap((strike) =>
  (['C', 'P'] as const).map((right) => ({ root: 'SPX', expiry: '2026-07-17', strike, right, bid: 4.2, ask: 4.4 })),
)
const chain = chainOf(contracts, {
  underlying: 'SPX',
  marketTimeMs: Date.UTC(2026, 5, 22, 14),
  contentHash: 'ab',
  scanId: 'scan',
})

/** The chain as one Arrow stream, not compressed. */
const plain = (): Uint8Array => new Uint8Array(zstdDecompressSync(encodeSnapshot(chain).payload))

function withColumn(change: (columns: ChainColumns) => void): Snapshot {
  const copy = structuredClone(chain)
  change(copy.columns)
  return copy
}

const withMeta = (meta: object): Snapshot => ({ ...chain, meta: { ...chain.meta, ...meta } })

function refusalOf(snapshot: Snapshot): string {
  const { payload, contentEncoding } = encodeSnapshot(snapshot)
  return refusalOfBytes(payload, contentEncoding)
}

/** Why a message is refused; empty when it is not. Anything but a `decode` error is not caught. */
function refusalOfBytes(payload: Uint8Array, contentEncoding: string | null = 'identity'): string {
  try {
    decodeSnapshot(payload, contentEncoding, '1')
    return ''
  } catch (error) {
    if (!(error instanceof StrikeflowError) || error.code !== 'decode') throw error
    return error.message
  }
}

/** Processor time, because other work on the machine must not count. */
const secondsOf = ({ user, system }: NodeJS.CpuUsage): number => (user + system) / 1e6

describe('a hostile snapshot', () => {
  it('is decoded where nothing is wrong with it, or the tests below would show nothing', () => {
    expect(encodeSnapshot(chain).contentEncoding).toBe('zstd')
    expect(refusalOfBytes(plain())).toBe('')
  })

  it('with any length or offset of its metadata set to an extreme is refused in no time', () => {
    const extremes = [0x7fffffff, -0x80000000, -1, 0x10000000, 0x00ffffff, 65_536]
    const began = process.cpuUsage()
    let refused = 0
    const { byteLength } = plain()
    for (let at = 0; at + 4 <= byteLength; at += 4) {
      for (const extreme of extremes) {
        const bytes = plain()
        new DataView(bytes.buffer).setInt32(at, extreme, true)
        if (refusalOfBytes(bytes) !== '') refused += 1
      }
    }
    expect(refused).toBeGreaterThan(byteLength / 4)
    // Some 9,000 messages. One vector of 2^31 items would take minutes by itself.
    expect(secondsOf(process.cpuUsage(began))).toBeLessThan(15)
  })

  it.each([0, 3, 7, -1, 127])('whose contracts have the right %d is refused', (right) => {
    expect(refusalOf(withColumn(({ right: column }) => column.fill(right, 0, 3)))).toMatch(/right .* in row 0/)
  })

  it('that points to a root which is not there is refused', () => {
    for (const index of [1, -1, 32_767])
      expect(refusalOf(withColumn(({ rootIndex }) => rootIndex.fill(index, 2, 3)))).toContain('indices')
  })

  it('with a price, a strike, a time, a day or a flag beyond the model is refused', () => {
    const hostile: [keyof ChainColumns, number][] = [
      ['bid', -0.01],
      ['ask', Infinity],
      ['volume', -1],
      ['providerDelta', -Infinity],
      ['strike', NaN],
      ['strike', 0],
      ['strike', -5],
      ['strike', 1e300],
      ['expiryAtS', NaN],
      ['expiryAtS', 1e300],
      ['expiryAtS', -1],
      ['expiryDay', -1],
      ['expiryDay', 2 ** 31 - 1],
      ['flags', 128],
    ]
    for (const [name, value] of hostile) {
      const refusal = refusalOf(withColumn((columns) => ((columns[name] as Float64Array)[4] = value)))
      expect(refusal, `${name} ${value}`).not.toBe('')
    }
  })

  it('that lists a contract twice is refused, in canonical order and in any other', () => {
    const twice = (from: number, to: number): Snapshot =>
      withColumn(({ strike, right }) => {
        strike[to] = (strike[from] as number) + 1e-6
        right[to] = right[from] as number
      })
    expect(refusalOf(twice(0, 1))).toContain('repeats a contract')
    expect(refusalOf(twice(5, 0))).toContain('repeats a contract')
  })

  it('in another order than the canonical one is decoded', () => {
    const backwards = chainOf(contracts.toReversed(), chain.meta)
    expect(refusalOf(backwards)).toBe('')
  })

  it.each([
    ['underlying', 'X'.repeat(33)],
    ['underlying', 'X'.repeat(250)],
    ['underlying', 'A/B'],
    ['underlying', 'A\u001b[31m'],
    ['underlying', ''],
    ['provider', 'p'.repeat(33)],
    ['provider', 'a b'],
    ['scanId', 's'.repeat(129)],
    ['contentHash', 'c'.repeat(129)],
    ['exchangeZone', 'z'.repeat(65)],
    ['sessionDate', '0000-01-01'],
    ['sessionDate', '9999-12-31'],
    ['sessionDate', 'yesterday'],
    ['marketTimeMs', 4_102_444_800_001],
    ['marketTimeMs', 1.5],
    ['receivedAtMs', -1],
    ['delayMs', 2 ** 32],
    ['multiplier', 0],
    ['multiplier', 1e300],
    ['listed', 1e15],
    ['spot', '100'],
    ['timeKind', 'never'],
    ['snapshotId', 'none'],
    ['slot', { atMs: 1, intervalMs: 0, unchangedBefore: 0 }],
    ['slot', { atMs: 1, intervalMs: 1, unchangedBefore: 1e15 }],
    ['rejects', Array.from({ length: 201 }, () => ({ symbol: 'x', reason: 'bad_symbol', detail: '' }))],
    ['rejects', [{ symbol: 'x'.repeat(65), reason: 'bad_symbol', detail: '' }]],
    ['rejects', [{ symbol: 'x', reason: 'because', detail: '' }]],
  ])('whose metadata have the %s %j is refused', (name, value) => {
    expect(refusalOf(withMeta({ [name]: value }))).toContain('Snapshot metadata')
  })

  it.each(['BRK.B', '^SPX', '_SPX', 'M&M', 'BAJAJ-AUTO', 'NIFTY', 'XRP_USDC', 'BTC', 'MIDCPNIFTY'])(
    'is none because its underlying is called %s',
    (underlying) => expect(refusalOf(withMeta({ underlying }))).toBe(''),
  )

  it('of half a million rejects, and of metadata as large as a message may be, is refused in no time', () => {
    const meta = { ...chain.meta, rejects: Array.from({ length: 500_000 }, () => 0) }
    const bytes = zstdCompressSync(encodeArrow([], new Map([['strikeflow.snapshot', JSON.stringify(meta)]])))
    const began = process.cpuUsage()
    expect(refusalOfBytes(bytes, 'zstd')).toMatch(/text of at most|500000 rejects/)
    expect(secondsOf(process.cpuUsage(began))).toBeLessThan(2)
  })

  it('of a dictionary of millions of empty texts is refused before they are made', () => {
    const roots = Array.from({ length: 300_000 }, (_, i) => `R${i}`)
    const column = stringColumn('root', roots, new Int16Array(6))
    const bytes = zstdCompressSync(encodeArrow([column], new Map()))
    expect(refusalOfBytes(bytes, 'zstd')).toContain('at most 1000 texts')
  })

  it('with a column that is missing or of another type is refused', () => {
    const right: ArrowColumn = { name: 'right', type: arrowTypes.int8, values: new Int8Array(6).fill(1) }
    const strike: ArrowColumn = { ...right, name: 'expiry_at_s' }
    const root = stringColumn('root', ['SPX'], new Int16Array(6))
    const metadata = new Map([['strikeflow.snapshot', JSON.stringify(chain.meta)]])
    expect(refusalOfBytes(encodeArrow([right], metadata))).toContain('column root')
    expect(refusalOfBytes(encodeArrow([root, right], metadata))).toContain('column expiry_at_s')
    expect(refusalOfBytes(encodeArrow([root, strike], metadata))).toContain('not a Float64Array')
  })

  it('whose columns are not equally long is refused', () => {
    const bytes = plain()
    const view = new DataView(bytes.buffer)
    const refusals: boolean[] = []
    // Behind the schema: lengths of the batch and of its columns, and how many values a column lacks that has none.
    for (let at = 8 + view.getInt32(4, true); at + 8 <= bytes.byteLength; at += 8) {
      if (view.getBigInt64(at, true) !== 6n) continue
      view.setBigInt64(at, 7n, true)
      refusals.push(refusalOfBytes(bytes) !== '')
      view.setBigInt64(at, 6n, true)
    }
    expect(refusals.length).toBeGreaterThan(20)
    // The column of one byte a row may say that it has seven: there are eight, with what fills them up.
    expect(refusals.filter((isRefused) => !isRefused)).toHaveLength(1)
  })

  it('with bytes behind its end, and one that ends early at any byte, is refused', () => {
    const bytes = plain()
    expect(refusalOfBytes(Uint8Array.from([...bytes, ...bytes]))).not.toBe('')
    for (let length = 0; length < bytes.byteLength; length += 1) {
      expect(refusalOfBytes(bytes.slice(0, length)), `${length} bytes`).not.toBe('')
    }
  })

  it('of two columns over the same bytes is refused', () => {
    const bytes = plain()
    const view = new DataView(bytes.buffer)
    // The buffers of a batch are pairs of offset and length; the values of two float columns lie 48 bytes of values apart.
    let changed = 0
    for (let at = 0; at + 16 <= bytes.byteLength; at += 8) {
      const isBuffer = view.getBigInt64(at, true) > 48n && view.getBigInt64(at + 8, true) === 48n
      if (!isBuffer) continue
      const overlapping = bytes.slice()
      new DataView(overlapping.buffer).setBigInt64(at, view.getBigInt64(at, true) - 48n, true)
      expect(refusalOfBytes(overlapping)).toContain('one behind the other')
      changed += 1
    }
    expect(changed).toBeGreaterThan(8)
  })

  it('is not changed by being read and refused', () => {
    const { payload } = encodeSnapshot(withColumn(({ right }) => right.fill(7)))
    const before = payload.slice()
    expect(refusalOfBytes(payload)).not.toBe('')
    expect(payload).toEqual(before)
  })

  it('that unpacks to a gigabyte is refused without being unpacked', () => {
    const bomb = zstdCompressSync(new Uint8Array(256 * 1024 * 1024))
    expect(bomb.byteLength).toBeLessThan(64 * 1024)
    const before = process.memoryUsage().rss
    expect(refusalOfBytes(bomb, 'zstd')).not.toBe('')
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })

  it('says nothing of itself in a refusal that a terminal would obey', () => {
    const { payload } = encodeSnapshot(chain)
    const escape = '\u001b]0;owned\u0007'
    for (const [encoding, schema] of [
      [escape, '1'],
      ['identity', escape],
    ] as const)
      expect(() => decodeSnapshot(payload, encoding, schema)).toThrow(/^[ -~]*$/)
  })
})
