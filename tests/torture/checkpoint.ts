import { setTimeout as delay } from 'node:timers/promises'
import { alertRowsIn, rowProblemsIn } from './history.ts'
import type { Scene } from './scene.ts'

const intervalMs = 60_000

/**
 * Without merges a long run has more parts than an engine opens in reasonable time. So every minute what is there twice is looked for,
 * and only then, since a merge hides it, everything is merged.
 */
export async function keepPartsFew(scene: Scene, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await delay(intervalMs, undefined, { signal: stop }).catch(() => {})
    if (stop.aborted) return
    await checkpoint(scene).catch((error: unknown) =>
      scene.note(`checkpoint not made, ${(error as Error).message.slice(0, 100)}`),
    )
  }
}

async function checkpoint(scene: Scene): Promise<void> {
  const { stack, violations } = scene
  const { query } = stack.store
  const problems = await rowProblemsIn(query, false)
  for (const { table, snapshotId, promised, found } of problems) {
    // Rows that have no commit row yet are on their way.
    if (promised > 0 && found > promised)
      violations.push(`doubled: ${table} has ${found} rows of ${snapshotId}, its commit row promises ${promised}`)
  }
  for (const [id, { times }] of await alertRowsIn(query, false)) if (times > 1) violations.push(`doubled: alert ${id}`)
  const twice = await query.rows<{ n: number }>(
    'SELECT count() AS n FROM (SELECT 1 FROM snapshots_v1 GROUP BY incarnation, partition, stream_seq HAVING count() > 1)',
  )
  if ((twice[0]?.n ?? 0) > 0) violations.push(`doubled: ${twice[0]?.n} messages have several commit rows`)
  const tables = await query.rows<{ name: string }>(
    `SELECT table AS name FROM system.parts WHERE database = currentDatabase() AND active GROUP BY table HAVING count() > 300`,
  )
  for (const { name } of tables) await stack.store.command(`OPTIMIZE TABLE ${name} FINAL`)
  scene.note(`checkpoint: merged ${tables.length} tables`)
}
