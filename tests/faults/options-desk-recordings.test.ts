import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { outcomesByIncarnation, restartedWithoutChains } from '../support/lost-chains.ts'
import { filesBelow, gunzipText, recordingsAt } from '../support/recordings.ts'
import { type CommandResult, startTestStack, storeOnly, strikeflow, type TestStack } from '../support/stack.ts'

interface Document {
  readonly symbol: string
  readonly updated: string
  readonly quotes: readonly { readonly symbol: string; readonly bid: number | null; readonly ask: number | null }[]
}

const data = recordingsAt('options_desk')
const minute = 60_000

describe('recorded options-desk passes', () => {
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

  it('end by themselves and say what was in them', () => {
    expect(ingest).toMatchObject({ code: 0 })
    expect(ingest.stdout).toMatch(/total\s+1,?266\s+1,?264\s+469,?057\s/)
    expect(ingest.stdout).toMatch(/total.*expiry_mismatch 8/)
  })

  it('are 1,264 snapshots of 469,057 contracts, 310,360 of them in the pass of 2026-07-16', async () => {
    const outcomes =
      'SELECT toString(outcome) AS outcome, reason, count() AS n FROM snapshots_v1 GROUP BY ALL ORDER BY ALL'
    expect(await stack.store.query.rows(outcomes)).toEqual([{ outcome: 'stored', reason: '', n: 1264 }])
    expect(await one('SELECT count() AS n FROM option_quotes_v1')).toEqual({ n: 469_057 })
    expect(
      await one(
        `SELECT count() AS n FROM option_quotes_v1 WHERE toDate(market_time, 'America/New_York') = '2026-07-16'`,
      ),
    ).toEqual({ n: 310_360 })
  })

  it('keep the quotes of a chain without a spot, compute nothing of it, and reject the rows that contradict their symbol', async () => {
    expect(
      await one(`SELECT count() AS n, countIf(iv IS NOT NULL) AS ivs FROM option_quotes_v1 WHERE underlying = 'CPRX'`),
    ).toEqual({
      n: 32,
      ivs: 0,
    })
    expect(await one(`SELECT count() AS n FROM chain_features_v1 WHERE underlying = 'CPRX'`)).toEqual({ n: 0 })
    expect(await one(`SELECT count() AS n FROM expiry_features_v1 WHERE underlying = 'CPRX'`)).toEqual({ n: 0 })
    expect(
      await stack.store.query.rows(`SELECT underlying, reason, count() AS n FROM quote_rejects_v1 GROUP BY ALL`),
    ).toEqual([{ underlying: 'CPRX', reason: 'expiry_mismatch', n: 8 }])
  })

  it('leave every bid and ask as it was sent, to the last digit', async () => {
    let prices = 0
    const wrong: string[] = []
    for (const document of documents(path)) {
      const stored = await storedPrices(stack, document)
      for (const { symbol, bid, ask } of document.quotes) {
        const row = stored.get(symbol)
        // Rows that contradict their symbol have a twin that does not.
        if (row !== undefined && row !== `${bid} ${ask}`) wrong.push(`${symbol} ${bid} ${ask}, stored ${row}`)
        prices += 2
      }
    }
    expect(prices).toBe(938_130)
    expect(wrong.slice(0, 20)).toEqual([])
  })

  it('add only duplicate commit rows when CHAINS is lost and they come again', async () => {
    stack = await restartedWithoutChains(stack)
    const second = await strikeflow(['ingest', path, '--wait', '--data', stack.dataDirectory])
    expect(second).toMatchObject({ code: 0 })
    expect(await one('SELECT count() AS n FROM option_quotes_v1')).toEqual({ n: 469_057 })
    expect(await outcomesByIncarnation(stack)).toEqual([
      [{ outcome: 'stored', n: 1264 }],
      [{ outcome: 'duplicate', n: 1264 }],
    ])
  })
})

/** Every document once: the stale copies of CPRX in later files are the same snapshot. */
function documents(path: string): readonly Document[] {
  const seen = new Set<string>()
  return filesBelow(path)
    .flatMap((file) => gunzipText(file).trim().split('\n'))
    .map((line) => JSON.parse(line) as Document)
    .filter(({ symbol, updated }) => {
      const key = `${symbol} ${updated}`
      const isNew = !seen.has(key)
      seen.add(key)
      return isNew
    })
}

async function storedPrices(stack: TestStack, { symbol, updated }: Document): Promise<ReadonlyMap<string, string>> {
  const rows = await stack.store.query.rows<{ symbol: string; bid: string | null; ask: string | null }>(
    `SELECT concat(root, formatDateTime(expiry, '%y%m%d'), toString(right), leftPad(toString(toUInt64(strike * 1000)), 8, '0')) AS symbol,
       toString(bid) AS bid, toString(ask) AS ask
     FROM option_quotes_v1
     WHERE underlying = {symbol:String} AND market_time = fromUnixTimestamp64Milli({at:Int64}, 'UTC')`,
    { symbol, at: Date.parse(updated) - 15 * minute },
  )
  return new Map(rows.map((row) => [row.symbol, `${row.bid} ${row.ask}`]))
}
