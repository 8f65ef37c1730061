import type { Store } from '../../shared/store/connect.ts'

/**
 * Keeps ClickHouse from merging parts, through its restarts: a merge would hide what was written twice. Works through the port,
 * for tests that did not start the server and so have no channel to its process.
 */
export async function preventMerges(store: Store): Promise<void> {
  const tables = await store.query.rows<{ name: string }>(
    `SELECT name FROM system.tables WHERE database = 'strikeflow' AND engine LIKE '%MergeTree'`,
  )
  const noMerges = 'max_bytes_to_merge_at_max_space_in_pool = 1, max_bytes_to_merge_at_min_space_in_pool = 1'
  const manyParts = 'parts_to_delay_insert = 100000, parts_to_throw_insert = 200000'
  for (const { name } of tables) await store.command(`ALTER TABLE ${name} MODIFY SETTING ${noMerges}, ${manyParts}`)
}
