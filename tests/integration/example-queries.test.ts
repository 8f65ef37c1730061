import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseExample } from '../../scripts/tables-doc.ts'
import { startTestStack, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

const folder = new URL('../../docs/example-queries/', import.meta.url)
const examples = readdirSync(folder)
  .toSorted()
  .map((name) => parseExample(readFileSync(new URL(name, folder), 'utf8')))

const settledSlots = `SELECT slot FROM gaps_v1 FINAL
  WHERE session_date = (SELECT max(session_date) FROM gaps_v1) AND state != 'pending' LIMIT 1`

describe('the example queries of docs/tables.md', () => {
  let stack: TestStack
  beforeAll(async () => {
    const passes = 30
    const underlyings = ['SPY', 'QQQ', 'AAPL']
    stack = await startTestStack({
      env: {
        STANDALONE_STAGES: 'store',
        STANDALONE_SPEED: '0',
        STANDALONE_UNDERLYINGS: underlyings.join(','),
        COLLECTOR_SIM_PASSES: String(passes),
      },
    })
    await waitFor('the snapshots', async () => {
      const [row] = await stack.store.query.rows<{ n: number; alerts: number }>(
        'SELECT count() AS n, sum(n_alerts) AS alerts FROM snapshots_v1',
      )
      return row?.n === passes * underlyings.length
    })
    // The ledger settles slots behind the snapshots.
    await waitFor('the settled slots', async () => (await stack.store.query.rows(settledSlots)).length > 0)
  })
  afterAll(() => stack[Symbol.asyncDispose]())

  it('are ten or more', () => {
    expect(examples.length).toBeGreaterThanOrEqual(10)
  })

  it.each(examples)('$title: runs and has rows', async ({ sql }) => {
    const rows = await stack.store.query.rows(sql)
    expect(rows.length).toBeGreaterThan(0)
  })
})
