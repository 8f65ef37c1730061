import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, it, type TestContext } from 'vitest'
import { parseOccSymbol } from '../../../shared/calendar/occ.ts'
import { contractFlags, type Snapshot } from '../../../shared/model/snapshot.ts'
import { recordingsAt } from '../../../tests/support/recordings.ts'
import { parseJsonDocument } from './json-document.ts'
import { createRecording } from './recording/recording.ts'
import { readLines } from './recording/documents.ts'
import { maxLinesBytes, unpackFile } from './recording/unpack.ts'

/* Against the recordings beside the project: what real chains come to. Their figures were counted independently first. */

const cboe = recordingsAt('cboe/intraday')
const optionsDesk = recordingsAt('options_desk')

type Found = ReturnType<typeof recordingsAt>

/** The path, or the test is skipped with the reason. */
function needs(found: Found, context: TestContext): string {
  return 'path' in found ? found.path : context.skip(found.missing)
}

interface Facts {
  items: number
  refusals: number
  drift: string[]
  perPass: { startedAtMs: number; contracts: number; underlyings: number }[]
  /** Last one of each id. */
  snapshots: Map<string, Snapshot>
  rejects: Record<string, number>
}

async function replay(path: string): Promise<Facts> {
  const facts: Facts = { items: 0, refusals: 0, drift: [], perPass: [], snapshots: new Map(), rejects: {} }
  const recording = createRecording({ path, speed: 0, clock: Date.now, onDrift: (field) => facts.drift.push(field) })
  const { signal } = new AbortController()
  for await (const { items, startedAtMs } of recording.passes(signal)) {
    const pass = { startedAtMs, contracts: 0, underlyings: items.length }
    for (const item of items) {
      facts.items += 1
      const outcome = await item.fetch({ scanId: 's', signal })
      if (outcome.kind === 'refused') {
        facts.refusals += 1
        continue
      }
      const { meta, columns } = outcome.snapshot
      pass.contracts += columns.length
      if (!facts.snapshots.has(meta.snapshotId)) {
        for (const { reason } of meta.rejects) facts.rejects[reason] = (facts.rejects[reason] ?? 0) + 1
      }
      facts.snapshots.set(meta.snapshotId, outcome.snapshot)
    }
    facts.perPass.push(pass)
  }
  return facts
}

const contractsOf = ({ snapshots }: Facts): number =>
  snapshots.values().reduce((sum, { columns }) => sum + columns.length, 0)

const countFlag = ({ columns }: Snapshot, flag: number): number =>
  columns.flags.reduce((count, flags) => count + ((flags & flag) === 0 ? 0 : 1), 0)

describe('the recorded files of Cboe', () => {
  let facts: Facts
  beforeAll(async () => {
    if ('path' in cboe) facts = await replay(cboe.path)
  }, 120_000)

  it('237 files are 112 distinct snapshots with 222,358 contracts, none rejected, in 79 passes', (context) => {
    needs(cboe, context)
    const perUnderlying: Record<string, number> = {}
    for (const { meta } of facts.snapshots.values()) {
      perUnderlying[meta.underlying] = (perUnderlying[meta.underlying] ?? 0) + 1
    }
    expect(perUnderlying).toEqual({ COPX: 20, IWM: 24, SHY: 18, TLT: 24, UNG: 26 })
    expect([facts.items, facts.refusals, facts.snapshots.size, contractsOf(facts)]).toEqual([237, 0, 112, 222_358])
    expect([facts.rejects, facts.drift, facts.perPass.length]).toEqual([{}, [], 79])
  })

  it('1,974 contracts in 12 snapshots had expired', (context) => {
    needs(cboe, context)
    const expired = [...facts.snapshots.values()].map((snapshot) => countFlag(snapshot, contractFlags.expired))
    expect(expired.reduce((a, b) => a + b)).toBe(1_974)
    expect(expired.filter((count) => count > 0)).toHaveLength(12)
  })

  it('the two files of the holiday are of the session before it', (context) => {
    needs(cboe, context)
    const holiday = [...facts.snapshots.values()].filter(
      ({ meta }) => meta.underlying === 'IWM' && new Date(meta.providerTimeMs).toISOString().startsWith('2026-06-19'),
    )
    expect(holiday.map(({ meta }) => meta.sessionDate)).toEqual(['2026-06-18', '2026-06-18'])
  })

  it('every bid, ask, size, volume and open interest is what the file says, to the last digit', async (context) => {
    const path = needs(cboe, context)
    const sources = new Map<string, Record<string, unknown>[]>()
    for (const name of await readdir(path, { recursive: true })) {
      if (!name.endsWith('.json.gz')) continue
      const { symbol, timestamp, raw_options } = await documentAt(join(path, name))
      sources.set(`${String(symbol)} ${String(timestamp)}`, raw_options as Record<string, unknown>[])
    }
    let equal = 0
    const differing: unknown[] = []
    for (const { meta, columns } of facts.snapshots.values()) {
      const time = new Date(meta.providerTimeMs).toISOString().slice(0, 19).replace('T', ' ')
      const index = indexOf(columns)
      for (const row of sources.get(`${meta.underlying} ${time}`) ?? []) {
        const at = index.get(contractKey(String(row['option']))) as number
        const kept = [columns.bid, columns.ask, columns.bidSize, columns.askSize, columns.volume, columns.openInterest]
        const said = ['bid', 'ask', 'bid_size', 'ask_size', 'volume', 'open_interest'].map((field) => row[field])
        if (kept.every((column, k) => column[at] === said[k])) equal += 1
        else differing.push({ row, kept: kept.map((column) => column[at]) })
      }
    }
    expect(differing.slice(0, 3)).toEqual([])
    expect(equal).toBe(222_358)
  }, 120_000)

  async function documentAt(path: string): Promise<Record<string, unknown>> {
    const unpacked = await unpackFile(path, maxLinesBytes)
    if (unpacked.kind === 'refused') throw new Error(unpacked.detail)
    const parsed = parseJsonDocument(unpacked.bytes.toString())
    if ('kind' in parsed) throw new Error(parsed.detail)
    return parsed.document as Record<string, unknown>
  }
})

describe('the recorded documents of options-desk', () => {
  let facts: Facts
  beforeAll(async () => {
    if ('path' in optionsDesk) facts = await replay(optionsDesk.path)
  }, 120_000)

  it('1,266 documents are 1,264 snapshots with 469,057 contracts', (context) => {
    needs(optionsDesk, context)
    expect([facts.items, facts.refusals, facts.snapshots.size, contractsOf(facts)]).toEqual([1_266, 0, 1_264, 469_057])
    expect(facts.drift).toEqual([])
  })

  it('come in four passes, the one of 2026-07-16 with 310,360 contracts of 335 names', (context) => {
    needs(optionsDesk, context)
    expect(facts.perPass.map(({ startedAtMs }) => new Date(startedAtMs).toISOString().slice(0, 10))).toEqual([
      '2026-07-11',
      '2026-07-16',
      '2026-08-20',
      '2026-08-22',
    ])
    expect(facts.perPass[1]).toMatchObject({ contracts: 310_360, underlyings: 335 })
  })

  it('CPRX has no spot, keeps its quotes, and its 8 contradicting rows are all that is rejected', (context) => {
    needs(optionsDesk, context)
    expect(facts.rejects).toEqual({ expiry_mismatch: 8 })
    const cprx = [...facts.snapshots.values()].filter(({ meta }) => meta.underlying === 'CPRX')
    expect(cprx).toHaveLength(1)
    expect(cprx[0]?.meta).toMatchObject({ spot: null, listed: 40 })
    expect(cprx[0]?.columns.length).toBe(32)
  })

  it('no value is endless, no IV below 0.1 %, and 4 quotes of the pass of 2026-07-16 are crossed', (context) => {
    needs(optionsDesk, context)
    let crossed = 0
    for (const snapshot of facts.snapshots.values()) {
      const { columns, meta } = snapshot
      for (const column of [columns.bid, columns.ask, columns.last, columns.providerIv, columns.providerDelta]) {
        expect(column.some((value) => value === Infinity || value === -Infinity)).toBe(false)
      }
      expect(columns.providerIv.some((iv) => iv < 0.001)).toBe(false)
      if (meta.sessionDate === '2026-07-16') crossed += countFlag(snapshot, contractFlags.crossed)
    }
    expect(crossed).toBe(4)
  })

  it('every bid and ask is what the document says, to the last digit, and missing where it says null', async (context) => {
    const path = needs(optionsDesk, context)
    const byKey = new Map(
      [...facts.snapshots.values()].map(({ meta, columns }) => [`${meta.underlying} ${meta.providerTimeMs}`, columns]),
    )
    let equal = 0
    const differing: unknown[] = []
    for (const name of await readdir(path)) {
      const unpacked = await unpackFile(join(path, name), maxLinesBytes)
      if (unpacked.kind === 'refused') throw new Error(unpacked.detail)
      for (const { start, end, symbol, recordedAtMs } of readLines(unpacked.bytes)) {
        const columns = byKey.get(`${(symbol ?? '').replace('-', '.')} ${recordedAtMs}`)
        if (columns === undefined) throw new Error(`no snapshot of ${symbol}`)
        const index = indexOf(columns)
        const { quotes } = JSON.parse(unpacked.bytes.toString('utf8', start, end)) as {
          quotes: { symbol: string; expiration: string; bid: number | null; ask: number | null }[]
        }
        for (const { symbol: contract, expiration, bid, ask } of quotes) {
          if (contract.slice(-15, -9) !== expiration.slice(2).replaceAll('-', '')) continue
          const at = index.get(contractKey(contract)) as number
          const kept = [columns.bid[at], columns.ask[at]]
          const said = [bid ?? NaN, ask ?? NaN]
          if (Object.is(kept[0], said[0]) && Object.is(kept[1], said[1])) equal += 1
          else differing.push({ contract, kept, said })
        }
      }
    }
    // CPRX three times.
    expect(differing.slice(0, 3)).toEqual([])
    expect(equal).toBe(469_057 + 2 * 32)
  }, 120_000)
})

function contractKey(symbol: string): string {
  const contract = parseOccSymbol(symbol)
  return contract === null ? symbol : `${contract.root} ${contract.expiryDay} ${contract.strike} ${contract.right}`
}

function indexOf(columns: Snapshot['columns']): ReadonlyMap<string, number> {
  const index = new Map<string, number>()
  for (let i = 0; i < columns.length; i++) {
    const root = columns.roots[columns.rootIndex[i] as number]
    index.set(`${root} ${columns.expiryDay[i]} ${columns.strike[i]} ${columns.right[i]}`, i)
  }
  return index
}
