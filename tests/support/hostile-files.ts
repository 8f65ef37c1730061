import { readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { Random } from '../simulation/random.ts'
import { hostileMessage } from './hostile-messages.ts'
import { hostileNumbers, hostileTexts } from './hostile-values.ts'

/** A recording that was valid before something happened to it. */
export interface HostileFile {
  readonly kind: string
  /** Below the folder of the recording. */
  readonly name: string
  readonly bytes: Uint8Array
}

type Row = Record<string, unknown>
interface CboeDocument {
  timestamp: unknown
  symbol: unknown
  data: Row & { options: Row[] }
}

const cboe = readFileSync(new URL('../fixtures/cboe/ACME.json', import.meta.url), 'utf8')
const lines = readFileSync(new URL('../fixtures/options_desk/2026-11-16_small.ndjson', import.meta.url), 'utf8')
/** Half a gigabyte: far more than a document may have, and half a megabyte as a file. */
const bomb = gzipSync(Buffer.alloc(512 * 1024 * 1024, '['))

type Mutation = (random: Random, number: number) => Omit<HostileFile, 'kind'>

const stamp = (number: number): string =>
  `20261116T16${String(Math.floor(number / 60) % 60).padStart(2, '0')}${String(number % 60).padStart(2, '0')}Z.json.gz`
const inFolder = (number: number, bytes: Uint8Array): Omit<HostileFile, 'kind'> => ({
  name: `ACME/${stamp(number)}`,
  bytes,
})
const document = (): CboeDocument => JSON.parse(cboe) as CboeDocument
const zipped = (value: unknown): Uint8Array => gzipSync(typeof value === 'string' ? value : JSON.stringify(value))
const any = (random: Random): unknown =>
  random.pick<unknown>([random.pick(hostileTexts), random.pick(hostileNumbers), null, [], {}, true, '1e999'])

function flipped(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice()
  for (let n = random.integer(1, 6); n > 0; n -= 1) {
    const at = random.integer(0, copy.length - 1)
    copy[at] = (copy[at] as number) ^ (1 << random.integer(0, 7))
  }
  return copy
}

const mutations: readonly (readonly [string, number, Mutation])[] = [
  ['untouched', 3, (_, number) => inFolder(number, zipped({ ...document(), nonce: number }))],
  ['bits of the text', 8, (random, number) => inFolder(number, gzipSync(flipped(Buffer.from(cboe), random)))],
  ['bits of the gzip', 8, (random, number) => inFolder(number, flipped(gzipSync(cboe), random))],
  ['truncated', 5, (random, number) => {
    const whole = gzipSync(cboe)
    return inFolder(number, whole.subarray(0, random.integer(0, whole.length - 1)))
  }],
  ['a field of a row', 12, (random, number) => {
    const spoilt = document()
    const row = random.pick(spoilt.data.options) ?? {}
    row[random.pick(Object.keys(row)) ?? 'bid'] = any(random)
    return inFolder(number, zipped(spoilt))
  }],
  ['a field of the head', 6, (random, number) => {
    const spoilt = document()
    const target = random.chance(0.5) ? (spoilt as unknown as Row) : spoilt.data
    target[random.pick(Object.keys(target)) ?? 'symbol'] = any(random)
    return inFolder(number, zipped(spoilt))
  }],
  ['every row refused', 2, (_, number) => {
    const spoilt = document()
    for (const row of spoilt.data.options) row['option'] = `O:${String(row['option'])}`
    return inFolder(number, zipped(spoilt))
  }],
  ['a row many times', 2, (random, number) => {
    const spoilt = document()
    const row = random.pick(spoilt.data.options) ?? {}
    spoilt.data.options = Array.from({ length: random.integer(2, 30_000) }, () => row)
    return inFolder(number, zipped(spoilt))
  }],
  ['lists without an end', 1, (random, number) => inFolder(number, zipped('[['.repeat(random.integer(1, 2_000_000))))],
  ['a gzip bomb', 0.3, (_, number) => inFolder(number, bomb)],
  ['a gzip bomb without a stamp', 0.3, (_, number) => ({ name: `bomb-${number}.json.gz`, bytes: bomb })],
  ['a gzip bomb of lines', 0.2, (_, number) => ({ name: `bomb-${number}.ndjson.gz`, bytes: bomb })],
  ['a message of the bus', 6, (_, number) => inFolder(number, hostileMessage(7, number).payload)],
  ['lines', 6, (random, number) => ({
    name: `lines-${number}.ndjson`,
    bytes: random.chance(0.3) ? Buffer.from(lines) : flipped(Buffer.from(lines), random),
  })],
  ['a name', 4, (random, number) => ({
    name: `${random.pick(['A\u001b[2J', '\u202eYPS', 'a b', 'x'.repeat(120), '%00', '..hidden'])}${number}/${stamp(number)}`,
    bytes: zipped(cboe),
  })],
  ['nothing', 1, (_, number) => inFolder(number, new Uint8Array(0))],
] // prettier-ignore

const totalWeight = mutations.reduce((sum, [, weight]) => sum + weight, 0)

/** The n-th hostile file of a seed. */
export function hostileFile(seed: number, number: number): HostileFile {
  const random = new Random(Math.imul(seed, 0x9e3779b1) ^ number)
  let left = random.between(0, totalWeight)
  for (const [kind, weight, mutate] of mutations) {
    left -= weight
    if (left <= 0) return { kind, ...mutate(random, number) }
  }
  throw new RangeError('Expected a mutation')
}
