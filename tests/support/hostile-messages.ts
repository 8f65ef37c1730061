import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { headerNames } from '../../shared/bus/messages.ts'
import { partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import { type ArrowColumn, arrowTypes, encodeArrow, stringColumn } from '../../shared/model/arrow.ts'
import type { ChainColumns, Snapshot, SnapshotMeta } from '../../shared/model/snapshot.ts'
import { encodeSnapshot, snapshotSchema } from '../../shared/model/snapshot-codec.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import { chainOf, type ContractInput } from '../fixtures/quant/chain-builder.ts'
import { Random } from '../simulation/random.ts'
import {
  anyValue,
  extremeFloats,
  extremes32,
  extremes64,
  hostileHeaders,
  hostileSubject,
  hostileTexts,
} from './hostile-values.ts'

/** A message that was valid before something happened to it. */
export interface HostileMessage {
  /** What happened. */
  readonly kind: string
  readonly subject: string
  readonly messageId: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload: Uint8Array
}

interface Victim {
  readonly snapshot: Snapshot
  /** As one Arrow stream, not compressed. */
  readonly plain: Uint8Array
  /** Where its schema ends: most lengths and offsets lie before it and right behind it. */
  readonly schemaBytes: number
}

type Mutated = Partial<Omit<HostileMessage, 'kind'>>
type Encoded = Pick<HostileMessage, 'payload' | 'headers'>
type Mutation = (victim: Victim, random: Random) => Mutated

const marketTimeMs = Date.UTC(2026, 5, 22, 14)

/** A valid chain of its own for each number: several roots, expiries and rejects, some values missing. */
function victimOf(number: number, random: Random): Victim {
  const underlying = ['SPX', 'M&M', 'BRK.B', '^NDX', 'XRP_USDC', 'NIFTY'][number % 6] as string
  const roots = number % 3 === 0 ? ['AAA', 'AAAW'] : ['AAA']
  const strikes = random.integer(1, number % 17 === 0 ? 60 : 6)
  const contracts = roots.flatMap((root) =>
    ['2026-07-17', '2026-08-21'].flatMap((expiry) =>
      Array.from({ length: strikes }, (_, i) => 95 + i).flatMap((strike) =>
        (['C', 'P'] as const).map((right): ContractInput => ({ root, expiry, strike, right, ...quoteOf(random) })),
      ),
    ),
  )
  const snapshotId = uuidOf('hostile', String(number))
  const rejects = Array.from({ length: number % 4 }, (_, i) => ({
    symbol: `BAD${i}`,
    reason: 'bad_symbol' as const,
    detail: 'not an OCC symbol',
  }))
  const time = marketTimeMs + number * 1_000
  const meta = { underlying, provider: 'test', snapshotId, scanId: 'scan', contentHash: `${number}`, rejects }
  const snapshot = chainOf(number % 97 === 0 ? [] : contracts, { ...meta, marketTimeMs: time })
  const plain = plainOf(snapshot)
  const view = new DataView(plain.buffer, plain.byteOffset, plain.byteLength)
  return { snapshot, plain, schemaBytes: 8 + view.getInt32(4, true) }
}

const quoteOf = (random: Random): Partial<ContractInput> => ({
  bid: random.chance(0.2) ? Number.NaN : random.integer(0, 900) / 100,
  ask: random.integer(0, 1000) / 100,
  ...(random.chance(0.7) ? { volume: random.integer(0, 5_000), openInterest: random.integer(0, 50_000) } : {}),
})

function plainOf(snapshot: Snapshot): Uint8Array {
  const { payload, contentEncoding } = encodeSnapshot(snapshot)
  return new Uint8Array(contentEncoding === 'zstd' ? zstdDecompressSync(payload) : payload)
}

const copyOf = ({ plain }: Victim): { readonly bytes: Uint8Array; readonly view: DataView } => {
  const bytes = plain.slice()
  return { bytes, view: new DataView(bytes.buffer) }
}

const identity = (payload: Uint8Array): Encoded => ({ payload, headers: { [headerNames.contentEncoding]: 'identity' } })
const packed = (payload: Uint8Array): Encoded => ({ payload, headers: { [headerNames.contentEncoding]: 'zstd' } })
const encoded = (snapshot: Snapshot): Encoded => {
  const { payload, contentEncoding } = encodeSnapshot(snapshot)
  return { payload, headers: { [headerNames.contentEncoding]: contentEncoding } }
}

const floatColumns: readonly (keyof ChainColumns)[] = [
  'expiryAtS', 'strike', 'bid', 'ask', 'bidSize', 'askSize', 'last', 'lastTradeAtS', 'volume', 'openInterest', 'providerIv',
  'providerDelta', 'providerGamma', 'providerTheta', 'providerVega', 'providerRho',
] // prettier-ignore

const wholeColumns = { rootIndex: [-1, 1, 2, 32_767, -32_768], expiryDay: [-1, 0, 2 ** 31 - 1, -(2 ** 31), 65_536], right: [0, 3, 7, -1, 127], flags: [1, 64, 127, 128, 65_535] } // prettier-ignore

/** Made once: they take long to make, and nothing to send. */
const bombs = {
  zeros: zstdCompressSync(new Uint8Array(160 * 1024 * 1024)),
  gzip: gzipSync(new Uint8Array(64 * 1024 * 1024)),
}

const mutations: readonly (readonly [kind: string, weight: number, mutate: Mutation])[] = [
  ['untouched', 4, ({ snapshot }) => encoded(snapshot)],
  ['bits', 20, (victim, random) => {
    const { bytes } = copyOf(victim)
    for (let n = random.integer(1, 8); n > 0; n -= 1) flip(bytes, random.integer(0, bytes.length - 1), random)
    return random.chance(0.3) ? packed(zstdCompressSync(bytes)) : identity(bytes)
  }],
  ['bits of the metadata', 15, (victim, random) => {
    const { bytes } = copyOf(victim)
    for (let n = random.integer(1, 3); n > 0; n -= 1) flip(bytes, random.integer(0, victim.schemaBytes - 1), random)
    return identity(bytes)
  }],
  ['bits of the frame', 6, ({ plain }, random) => {
    const bytes = new Uint8Array(zstdCompressSync(plain))
    for (let n = random.integer(1, 3); n > 0; n -= 1) flip(bytes, random.integer(0, bytes.length - 1), random)
    return packed(bytes)
  }],
  ['truncated', 5, ({ plain }, random) => {
    const bytes = random.chance(0.3) ? zstdCompressSync(plain) : plain
    const cut = bytes.subarray(0, random.integer(0, bytes.length - 1))
    return bytes === plain ? identity(cut.slice()) : packed(cut)
  }],
  ['extended', 2, (victim, random) => {
    const more = new Uint8Array(random.integer(1, 64)).map(() => random.integer(0, 255))
    return identity(Buffer.concat([victim.plain, random.chance(0.5) ? more : victim.plain]))
  }],
  ['a length of 32 bits', 18, (victim, random) => {
    const { bytes, view } = copyOf(victim)
    const at = 4 * random.integer(0, (random.chance(0.8) ? victim.schemaBytes : bytes.length - 4) >> 2)
    view.setInt32(Math.min(at, bytes.length - 4), random.pick(extremes32) ?? 0, true)
    return identity(bytes)
  }],
  ['a length of 64 bits', 8, (victim, random) => {
    const { bytes, view } = copyOf(victim)
    const from = random.chance(0.8) ? victim.schemaBytes >> 3 : 0
    view.setBigInt64(8 * random.integer(from, (bytes.length >> 3) - 1), random.pick(extremes64) ?? 0n, true)
    return identity(bytes)
  }],
  ['an offset moved', 6, (victim, random) => {
    const { bytes, view } = copyOf(victim)
    const at = 4 * random.integer(0, (bytes.length >> 2) - 1)
    view.setInt32(at, view.getInt32(at, true) + 4 * random.integer(-8, 8), true)
    return identity(bytes)
  }],
  ['a piece moved', 4, (victim, random) => {
    const { bytes } = copyOf(victim)
    const [from, to] = [random.integer(0, bytes.length - 9), random.integer(0, bytes.length - 9)]
    bytes.copyWithin(to, from, from + random.integer(1, 64))
    return identity(bytes)
  }],
  ['columns swapped', 4, swapColumns],
  ['a float', 6, ({ snapshot }, random) => withColumns(snapshot, (columns) => {
    const column = columns[random.pick(floatColumns) ?? 'bid'] as Float64Array
    if (column.length > 0) column[random.integer(0, column.length - 1)] = random.pick(extremeFloats) ?? 0
  })],
  ['a whole number', 6, ({ snapshot }, random) => withColumns(snapshot, (columns) => {
    const [name, values] = random.pick(Object.entries(wholeColumns)) ?? ['right', [7]]
    const column = columns[name as keyof typeof wholeColumns]
    if (column.length > 0) column[random.integer(0, column.length - 1)] = random.pick(values) ?? 0
  })],
  ['a contract twice', 2, ({ snapshot }, random) => withColumns(snapshot, ({ length, strike, right, expiryDay, rootIndex }) => {
    if (length < 2) return
    const [from, to] = [random.integer(0, length - 1), random.integer(0, length - 1)]
    for (const column of [strike, right, expiryDay, rootIndex]) column[to] = column[from] as number
  })],
  ['another order', 2, ({ snapshot: { meta, columns } }, random) => encoded({ meta, columns: shuffled(columns, random) })],
  ['a dictionary', 2, ({ snapshot }, random) => {
    const count = random.pick([0, 2, 1_000, 1_001, 50_000]) ?? 0
    const text = random.pick(hostileTexts) ?? ''
    const roots = Array.from({ length: count }, (_, i) => (random.chance(0.01) ? text.toWellFormed() : `R${i}`))
    return packed(zstdCompressSync(plainOf({ ...snapshot, columns: { ...snapshot.columns, roots } })))
  }],
  ['a huge dictionary', 0.1, ({ snapshot }) => {
    const roots = Array.from({ length: 100_000 }, (_, i) => `R${i}`)
    return packed(zstdCompressSync(plainOf({ ...snapshot, columns: { ...snapshot.columns, roots } })))
  }],
  ['many contracts', 0.15, ({ snapshot: { meta } }, random) => encoded(manyContracts(meta, random))],
  ['metadata', 10, ({ snapshot }, random) => {
    const name = random.pick(Object.keys(snapshot.meta)) ?? 'spot'
    const meta = { ...snapshot.meta, [name]: anyValue(random) } as SnapshotMeta
    const { payload, headers } = encoded({ ...snapshot, meta })
    const { underlying } = meta as { readonly underlying: unknown }
    // Under the subject it asks for, where there is one: else the subject alone would refuse it.
    const subject = typeof underlying === 'string' ? subjectOr(underlying) : undefined
    return { payload, headers, ...(subject === undefined ? {} : { subject }) }
  }],
  ['metadata that are no object', 1, ({ snapshot }, random) => {
    const text = random.pick(['null', '7', '[]', '{', '[['.repeat(50_000), '{"a":'.repeat(50_000), '"', '1e999']) ?? ''
    const column = stringColumn('root', ['A'], new Int16Array(snapshot.columns.length))
    return packed(zstdCompressSync(encodeArrow([column], new Map([['strikeflow.snapshot', text]]))))
  }],
  ['metadata without an end', 0.3, ({ snapshot }, random) => {
    const text = JSON.stringify({ ...snapshot.meta, rejects: Array.from({ length: 300_000 }, () => ({})) })
    return packed(zstdCompressSync(encodeArrow([], new Map([['strikeflow.snapshot', text.slice(0, random.integer(900_000, text.length))]]))))
  }],
  ['a zstd bomb', 0.2, () => packed(bombs.zeros)],
  ['a frame that lies about its size', 1, ({ plain }, random) => {
    const bytes = new Uint8Array(zstdCompressSync(plain))
    bytes[4] = random.integer(0, 255)
    new DataView(bytes.buffer).setUint32(5, random.pick(extremes32) ?? 0, true)
    return packed(bytes)
  }],
  ['a gzip bomb', 0.5, () => ({ payload: bombs.gzip, headers: { [headerNames.contentEncoding]: 'gzip' } })],
  ['an encoding', 2, ({ plain }, random) => ({ payload: plain, headers: { [headerNames.contentEncoding]: random.pick(['zstd', 'br', 'x'.repeat(500), 'identity, zstd', '__proto__']) ?? '' } })],
  ['headers', 5, ({ snapshot }, random) => {
    const { payload, headers } = encoded(snapshot)
    return { payload, headers: { ...headers, ...hostileHeaders(random) } }
  }],
  ['a message id', 3, ({ snapshot }, random) => ({ ...encoded(snapshot), messageId: random.pick(['x'.repeat(8_000), 'other', '%', '\u00e9\u00e9', uuidOf('other')]) ?? '' })],
  ['a subject', 5, ({ snapshot }, random) => ({ ...encoded(snapshot), subject: hostileSubject(random) })],
] // prettier-ignore

function flip(bytes: Uint8Array, at: number, random: Random): void {
  bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 7))
}

function withColumns(snapshot: Snapshot, change: (columns: ChainColumns) => void): Mutated {
  const columns = structuredClone(snapshot.columns)
  change(columns)
  return encoded({ meta: snapshot.meta, columns })
}

/** The same contracts, each column under another's name or as another type. */
function swapColumns({ snapshot: { meta, columns } }: Victim, random: Random): Mutated {
  const { length, roots, rootIndex, expiryDay, right, flags } = columns
  const all: ArrowColumn[] = [
    stringColumn('root', roots, rootIndex),
    { name: 'expiry', type: arrowTypes.dateDay, values: expiryDay },
    { name: 'right', type: arrowTypes.int8, values: right },
    { name: 'flags', type: arrowTypes.uint16, values: flags },
    { name: 'strike', type: arrowTypes.float64, values: columns.strike },
    { name: 'expiry_at_s', type: arrowTypes.float64, values: columns.expiryAtS },
    { name: 'bid', type: arrowTypes.float64, values: columns.bid },
    { name: 'ask', type: arrowTypes.float32, values: new Float32Array(length) },
  ]
  const names = all.map(({ name }) => name)
  const renamed = all.map((column) => ({
    ...column,
    name: random.chance(0.5) ? column.name : (random.pick(names) ?? ''),
  }))
  const bytes = encodeArrow(renamed, new Map([['strikeflow.snapshot', JSON.stringify(meta)]]))
  return identity(bytes)
}

function shuffled(columns: ChainColumns, random: Random): ChainColumns {
  const order = Array.from({ length: columns.length }, (_, i) => i)
  for (let i = order.length - 1; i > 0; i -= 1) {
    const j = random.integer(0, i)
    ;[order[i], order[j]] = [order[j] as number, order[i] as number]
  }
  const entries = Object.entries(columns).map(([name, column]) => [
    name,
    ArrayBuffer.isView(column)
      ? (column as Float64Array).map((_, i, all) => all[order[i] as number] as number)
      : column,
  ])
  return Object.fromEntries(entries) as ChainColumns
}

/** As many contracts as fit a message once compressed, in one expiry or one contract each. */
function manyContracts(meta: SnapshotMeta, random: Random): Snapshot {
  const count = random.pick([5_000, 20_000, 210_000]) ?? 5_000
  const days = random.pick([1, 40, 6_000]) ?? 1
  const { columns } = chainOf([{ root: 'AAA', expiry: '2026-07-17', strike: 1, right: 'C' }], meta)
  const grown = Object.entries(columns).map(([name, column]) => {
    if (name === 'length') return [name, count]
    if (!ArrayBuffer.isView(column)) return [name, column]
    const array = new (column.constructor as Float64ArrayConstructor)(count).fill((column as Float64Array)[0] as number)
    if (name === 'strike') for (let i = 0; i < count; i += 1) array[i] = 1 + (i % Math.ceil(count / days))
    if (name === 'expiryDay')
      for (let i = 0; i < count; i += 1) array[i] = 20_700 + Math.floor(i / Math.ceil(count / days))
    return [name, array]
  })
  return { meta, columns: Object.fromEntries(grown) as ChainColumns }
}

function subjectOr(underlying: string): string | undefined {
  try {
    return rawSubject(partitionOfUnderlying(underlying), 'test', underlying)
  } catch {
    return undefined
  }
}

const totalWeight = mutations.reduce((sum, [, weight]) => sum + weight, 0)

/** The n-th hostile message of a seed: the same numbers give the same bytes. */
export function hostileMessage(seed: number, number: number): HostileMessage {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ number)
  const victim = victimOf(number, random)
  let left = random.between(0, totalWeight)
  const chosen = mutations.find(([, weight]) => (left -= weight) <= 0) ?? mutations[0]
  const [kind, , mutate] = chosen as (typeof mutations)[number]
  const { meta } = victim.snapshot
  const mutated = mutate(victim, random)
  return {
    kind,
    subject: rawSubject(partitionOfUnderlying(meta.underlying), 'test', meta.underlying),
    messageId: meta.snapshotId,
    payload: victim.plain,
    ...mutated,
    headers: { [headerNames.schema]: snapshotSchema, ...mutated.headers },
  }
}
