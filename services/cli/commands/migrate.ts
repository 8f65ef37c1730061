import type { Command } from 'commander'
import { type Env, readSettings } from '../../../shared/runtime/config.ts'
import { openStore } from '../../../shared/store/connect.ts'
import { migrate, readMigrations } from '../../../shared/store/migrate.ts'
import { renderSchema } from '../../../shared/store/render-schema.ts'
import { storeSettings } from '../../../shared/store/settings.ts'

/** `strikeflow migrate`: brings the database to the newest schema. */
export function registerMigrate(program: Command, environment: Env): void {
  program
    .command('migrate')
    .description('creates the database and brings its tables to the newest schema (settings CLICKHOUSE_*)')
    .option('--dry-run', 'print the statements instead')
    .action(async ({ dryRun }: { readonly dryRun?: true }) => {
      if (dryRun === true) {
        for (const { template } of await readMigrations()) console.log(`${renderSchema(template, 'single')};\n`)
        return
      }
      const settings = readSettings('CLICKHOUSE', storeSettings, environment)
      {
        await using server = openStore({ ...settings, database: 'default' })
        await server.command(`CREATE DATABASE IF NOT EXISTS ${settings.database}`)
      }
      await using store = openStore(settings)
      const applied = await migrate(store)
      console.log(applied.length === 0 ? 'schema is up to date' : applied.map((name) => `applied ${name}`).join('\n'))
    })
}
