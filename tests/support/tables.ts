import { openStore, type Store } from '../../shared/store/connect.ts'
import { migrate } from '../../shared/store/migrate.ts'
import { startClickHouse, type TestClickHouse } from './clickhouse.ts'

/** The tables of an embedded ClickHouse that nobody else writes; nothing is merged unless told. */
export interface TestTables extends AsyncDisposable {
  readonly clickhouse: TestClickHouse
  readonly store: Store
  /** One row, a part of its own; columns that are not named have their defaults. */
  insert(table: string, row: Readonly<Record<string, string | number | boolean>>): Promise<void>
  /** Deletes every row of these tables, so that the tests of a file can share one server. */
  empty(...tables: readonly string[]): Promise<void>
}

export async function openTables(): Promise<TestTables> {
  await using opening = new AsyncDisposableStack()
  const clickhouse = opening.use(await startClickHouse())
  const { account } = clickhouse
  {
    await using server = openStore({ ...account, database: 'default' })
    await server.command('CREATE DATABASE strikeflow')
  }
  const store = opening.use(openStore({ ...account, database: 'strikeflow' }))
  await migrate(store)
  const kept = opening.move()
  return {
    clickhouse,
    store,
    insert: (table, row) =>
      store.command(
        `INSERT INTO ${table} (${Object.keys(row).join(', ')}) SELECT ${Object.values(row).map(literal).join(', ')}`,
      ),
    async empty(...tables) {
      for (const table of tables) await store.command(`TRUNCATE TABLE ${table}`)
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

const literal = (value: string | number | boolean): string => (typeof value === 'string' ? `'${value}'` : `${value}`)
