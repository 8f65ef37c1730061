import { basename, dirname } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { outcomesByIncarnation, restartedWithoutChains } from '../support/lost-chains.ts'
import { filesBelow, gunzipText, recordingsAt } from '../support/recordings.ts'
import { type CommandResult, startTestStack, storeOnly, strikeflow, type TestStack } from '../support/stack.ts'

interface Recording {
  readonly timestamp: string
  readonly pcr_oi: number | null
  readonly walls: { readonly max_pain: number | null }
  readonly raw_options: readonly { readonly option: string; readonly bid: number; readonly ask: number }[]
}

interface Contract {
  readonly symbol: string
  readonly strike: number
  readonly right: 'C' | 'P'
  readonly bid: string
  readonly ask: string
  readonly open_interest: number
}

const data = recordingsAt('cboe/intraday')

describe('recorded Cboe chains', () => {
  const path = 'path' in data ? data.path : ''
  let stack: TestStack
  let ingest: CommandResult
  beforeEach((context) => context.skip('missing' in data, 'missing' in data ? data.missing : ''))
  beforeAll(async () => {
    if ('missing' in data) return
    stack = await startTestStack({ env: storeOnly })
    ingest = await strikeflow(['ingest', path, '--wait', '--data', stack.dataDirectory])
  })
  afterAll(async () => {
    if ('path' in data) await stack[Symbol.asyncDispose]()
  })

  const one = async <T>(sql: string): Promise<T> => (await stack.store.query.rows<T>(sql))[0] as T

  it('end by themselves and say what was in them, per underlying', () => {
    expect(ingest).toMatchObject({ code: 0 })
    expect(ingest.stdout).toMatch(/SHY\s+79\s+18\s/)
    expect(ingest.stdout).toMatch(/total\s+237\s+112\s+222,?358\s/)
  })

  it('are 112 snapshots of 222,358 contracts, 1,974 of them expired in 12 snapshots', async () => {
    const stored = await stack.store.query.rows<{ underlying: string; n: number }>(
      `SELECT underlying, count() AS n FROM snapshots_v1 WHERE outcome = 'stored' GROUP BY underlying ORDER BY underlying`,
    )
    expect(stored).toEqual([
      { underlying: 'COPX', n: 20 },
      { underlying: 'IWM', n: 24 },
      { underlying: 'SHY', n: 18 },
      { underlying: 'TLT', n: 24 },
      { underlying: 'UNG', n: 26 },
    ])
    expect(
      await one(
        `SELECT count() AS contracts, countIf(bitAnd(flags, 1) = 1) AS expired,
           uniqExactIf(snapshot_id, bitAnd(flags, 1) = 1) AS in_snapshots FROM option_quotes_v1`,
      ),
    ).toEqual({ contracts: 222_358, expired: 1974, in_snapshots: 12 })
  })

  it('give the recorder’s put/call ratio and max pain from the stored rows, file by file, and every price to the last digit', async () => {
    const files = filesBelow(path)
    const wrong: string[] = []
    let prices = 0
    for (const file of files) {
      const recording = JSON.parse(gunzipText(file)) as Recording
      const contracts = await storedContracts(stack, basename(dirname(file)), recording.timestamp)
      const ratio = putCallRatio(contracts)
      if (ratio !== recording.pcr_oi) wrong.push(`${file}: pcr_oi ${ratio}, recorded ${recording.pcr_oi}`)
      const pain = maxPain(contracts)
      if (pain !== recording.walls.max_pain)
        wrong.push(`${file}: max pain ${pain}, recorded ${recording.walls.max_pain}`)
      const bySymbol = new Map(contracts.map((contract) => [contract.symbol, contract]))
      for (const { option, bid, ask } of recording.raw_options) {
        const stored = bySymbol.get(option)
        if (stored?.bid !== String(bid) || stored.ask !== String(ask)) wrong.push(`${file}: ${option} ${bid} ${ask}`)
        prices += 2
      }
    }
    expect(files.length).toBe(237)
    expect(prices).toBe(597_020)
    expect(wrong.slice(0, 20)).toEqual([])
  })

  it('add only duplicate commit rows when CHAINS is lost and they come again', async () => {
    const rowsBefore = await one<{ n: number }>('SELECT count() AS n FROM option_quotes_v1')
    stack = await restartedWithoutChains(stack)
    const second = await strikeflow(['ingest', path, '--wait', '--data', stack.dataDirectory])
    expect(second).toMatchObject({ code: 0 })
    expect(await one('SELECT count() AS n FROM option_quotes_v1')).toEqual(rowsBefore)
    expect(await outcomesByIncarnation(stack)).toEqual([
      [{ outcome: 'stored', n: 112 }],
      [{ outcome: 'duplicate', n: 112 }],
    ])
  })
})

async function storedContracts(stack: TestStack, underlying: string, timestamp: string): Promise<readonly Contract[]> {
  return stack.store.query.rows<Contract>(
    `SELECT concat(root, formatDateTime(expiry, '%y%m%d'), toString(right), leftPad(toString(toUInt64(strike * 1000)), 8, '0')) AS symbol,
       toFloat64(strike) AS strike, toString(right) AS right, toString(bid) AS bid, toString(ask) AS ask, open_interest
     FROM option_quotes_v1
     WHERE underlying = {underlying:String} AND market_time = parseDateTime64BestEffort({timestamp:String}, 3, 'UTC') - INTERVAL 15 MINUTE`,
    { underlying, timestamp },
  )
}

const openInterest = (contracts: readonly Contract[], right: 'C' | 'P'): number =>
  contracts.filter((contract) => contract.right === right).reduce((sum, contract) => sum + contract.open_interest, 0)

function putCallRatio(contracts: readonly Contract[]): number | null {
  const calls = openInterest(contracts, 'C')
  return calls === 0 ? null : Number((openInterest(contracts, 'P') / calls).toFixed(3))
}

/** The recorder's definition, by brute force: all expiries pooled, the lowest strike on ties. */
function maxPain(contracts: readonly Contract[]): number | null {
  const byStrike = new Map<number, { calls: number; puts: number }>()
  for (const { strike, right, open_interest } of contracts) {
    const at = byStrike.get(strike) ?? { calls: 0, puts: 0 }
    if (right === 'C') at.calls += open_interest
    else at.puts += open_interest
    byStrike.set(strike, at)
  }
  const strikes = [...byStrike].sort(([a], [b]) => a - b)
  let best: { readonly strike: number; readonly pain: number } | null = null
  for (const [settle] of strikes) {
    let pain = 0
    for (const [strike, { calls, puts }] of strikes) {
      pain += calls * Math.max(settle - strike, 0) + puts * Math.max(strike - settle, 0)
    }
    if (best === null || pain < best.pain) best = { strike: settle, pain }
  }
  return best?.strike ?? null
}
