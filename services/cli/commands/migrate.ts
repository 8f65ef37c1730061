import type { Command } from 'commander'
import type { Env } from '../../../shared/runtime/config.ts'
import { openStore } from '../../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../../shared/store/migrate.ts'
import { renderSchema } from '../../../shared/store/render-schema.ts'
import { storeAccount } from '../accounts.ts'
import { findRunningStack } from '../running-stack.ts'

/** `strikeflow migrate`: brings the database to the newest schema. */
export function registerMigrate(program: Command, environment: Env): void {
  program
    .command('migrate')
    .description('creates the database and brings its tables to the newest schema (settings CLICKHOUSE_*)')
    .option('--data <directory>', 'data directory; without CLICKHOUSE_URL a stack running on it is meant', 'data')
    .option('--dry-run', 'print the statements instead')
    .action(async ({ data, dryRun }: { readonly data: string; readonly dryRun?: true }) => {
      if (dryRun === true) {
        for (const { template } of await readMigrations()) console.log(`${renderSchema(template, 'single')};\n`)
        return
      }
      const stack = environment['CLICKHOUSE_URL'] === undefined ? await findRunningStack(data) : null
      const settings = storeAccount(stack, 'services', environment)
      {
        await using server = openStore({ ...settings, database: 'default' })
        await server.command(`CREATE DATABASE IF NOT EXISTS ${settings.database}`)
      }
      await using store = openStore(settings)
      const applied = await migrate(store)
      console.log(applied.length === 0 ? 'schema is up to date' : applied.map((name) => `applied ${name}`).join('\n'))
    })
}
