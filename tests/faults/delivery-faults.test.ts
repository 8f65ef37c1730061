import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ensureStreams, streamInfo } from '../../shared/bus/streams.ts'
import { checksums, type TableSum } from '../support/checksum.ts'
import { startClickHouse } from '../support/clickhouse.ts'
import {
  chainMessage,
  chainMessages,
  type DeliveryStage,
  openStage,
  waitForCommits,
} from '../support/delivery-stage.ts'
import { waitFor } from '../support/wait-for.ts'

type Sums = Readonly<Record<string, TableSum>>

const messages = chainMessages(24, 40)

describe('delivery', () => {
  let undisturbed: Sums
  beforeAll(async () => {
    await using stage = await openStage()
    await stage.start('alone')
    await stage.publish(messages)
    await waitForCommits(stage, messages.length)
    undisturbed = await checksums(stage.store.query)
  })

  it('waits while ClickHouse is away, says so, and goes on by itself', async () => {
    await using stage = await openStage()
    const processor = await stage.start('patient')
    await stage.publish(messages.slice(0, 240))
    await waitForCommits(stage, 240)
    const { port } = new URL(stage.clickhouse.url)
    await stage.clickhouse.kill9()
    await stage.publish(messages.slice(240))
    const [problem] = await waitFor('the problem to show', async () => {
      const problems = await processor.problems()
      return problems.length > 0 && problems
    })
    expect(problem).toContain('ClickHouse did not answer')
    await using again = await startClickHouse({ dataDir: stage.clickhouse.dataDir, port: Number(port) })
    await again.control('SYSTEM STOP MERGES')
    await waitForCommits(stage, messages.length)
    expect(await checksums(stage.store.query)).toEqual(undisturbed)
    await waitFor('no problem', async () => (await processor.problems()).length === 0)
    expect(processor.process.exitCode).toBeNull()
    await processor.stop()
  })

  it('stops at a broken table, gives nothing up, and goes on once it is mended', async () => {
    await using stage = await openStage()
    const processor = await stage.start('careful')
    await stage.store.command('RENAME TABLE chain_features_v1 TO elsewhere')
    await stage.publish(messages)
    await waitFor('the problem to show', async () => (await processor.problems()).join().includes('stopped'))
    // Longer than the pause: the next taking reads the table that is not there.
    const takings = (): number => processor.log.filter(({ msg }) => msg === 'partitions begin again').length
    const before = takings()
    await waitFor('the next taking to fail', () => takings() >= before + 2)
    expect((await processor.problems()).join()).toContain('chain_features_v1')
    expect(processor.process.exitCode).toBeNull()
    await stage.store.command('RENAME TABLE elsewhere TO chain_features_v1')
    await waitForCommits(stage, messages.length)
    expect(await checksums(stage.store.query)).toEqual(undisturbed)
  })

  it('makes ALERTS and FEATURES anew that were deleted under it, and goes on', async () => {
    await using stage = await openStage()
    const processor = await stage.start('steady')
    await stage.publish(messages.slice(0, 96))
    await waitForCommits(stage, 96)
    await stage.bus.jsm.streams.delete('ALERTS')
    await stage.bus.jsm.streams.delete('FEATURES')
    await stage.publish(messages.slice(96, 480))
    await waitForCommits(stage, 480)
    expect((await streamInfo(stage.bus, 'FEATURES')).messages).toBeGreaterThan(0)
    expect(processor.process.exitCode).toBeNull()
  })

  it('goes on in a new incarnation when CHAINS is made anew under it, and takes what is stored for a duplicate', async () => {
    await using stage = await openStage()
    const processor = await stage.start('steady')
    await stage.publish(messages.slice(0, 480))
    await waitForCommits(stage, 480)
    await stage.bus.jsm.streams.delete('CHAINS')
    await ensureStreams(stage.bus, 'embedded')
    await stage.publish(messages.slice(240))
    await waitForCommits(stage, 480 + 720)
    expect(await outcomes(stage)).toEqual({ stored: messages.length, duplicate: 240 })
    expect(processor.process.exitCode).toBeNull()
    const { snapshots_v1: _, ...rows } = await checksums(stage.store.query)
    expect(rows).toEqual(Object.fromEntries(Object.entries(undisturbed).filter(([table]) => table !== 'snapshots_v1')))
  })

  it('reads from all that is there when its consumers are deleted', async () => {
    await using stage = await openStage()
    await stage.start('steady')
    const published = stage.publish(messages)
    await waitForCommits(stage, 100)
    for await (const { name } of stage.bus.jsm.consumers.list('CHAINS')) {
      await stage.bus.jsm.consumers.delete('CHAINS', name).catch(() => false)
    }
    await published
    await waitForCommits(stage, messages.length)
    expect(await checksums(stage.store.query)).toEqual(undisturbed)
  })

  it('finds commit rows whose rows were lost, and writes the rows again', async () => {
    await using stage = await openStage()
    const first = await stage.start('first')
    await stage.publish(messages)
    await waitForCommits(stage, messages.length)
    expect(await first.stop()).toBe(0)
    const lost = chainMessage({ underlying: 'T3', step: 35 }).messageId
    // A deletion is a kind of merge.
    await stage.clickhouse.control('SYSTEM START MERGES')
    for (const table of ['option_quotes_v1', 'detector_states_v1']) {
      await stage.store.command(`DELETE FROM ${table} WHERE snapshot_id = {lost:UUID}`, { lost })
    }
    expect(await checksums(stage.store.query)).not.toEqual(undisturbed)
    await stage.start('second')
    await waitFor('the same rows', async () => {
      const sums = await checksums(stage.store.query)
      return JSON.stringify(sums) === JSON.stringify(undisturbed)
    })
    expect(await outcomes(stage)).toEqual({ stored: messages.length })
  })
})

describe('delivery from a stream that has gone back', () => {
  it.each([
    ['ends before the cursor', true],
    ['was refilled past the cursor', false],
  ])('begins a new incarnation after the last message that is the same, when it %s', async (_, isRunning) => {
    await using stage = await openStage()
    const backup = await mkdtemp(join(tmpdir(), 'strikeflow-backup-'))
    const first = await stage.start('one')
    await stage.publish(messages.slice(0, 120))
    await stage.nats.kill()
    await cp(stage.nats.dataDir, backup, { recursive: true })
    await stage.nats.restart()
    await stage.bus.connected()
    await stage.publish(messages.slice(120, 240))
    await waitForCommits(stage, 240)
    if (!isRunning) await first.stop()

    // A power cut: the last 120 messages are gone, and their sequences are given to others.
    await stage.nats.kill()
    await rm(stage.nats.dataDir, { recursive: true })
    await cp(backup, stage.nats.dataDir, { recursive: true })
    await stage.nats.restart()
    await stage.bus.connected()
    await stage.publish(messages.slice(240, 480))
    const reader = isRunning ? first : await stage.start('two')
    await waitForCommits(stage, 240 + 240)
    expect(await outcomes(stage)).toEqual({ stored: 480 })
    const { created } = await streamInfo(stage.bus, 'CHAINS')
    const names = await incarnations(stage)
    expect(names).toContain(created)
    expect(names.filter((name) => name !== created).every((name) => name.startsWith(`${created}#1@`))).toBe(true)
    expect(reader.process.exitCode).toBeNull()
    await reader.stop()
    await rm(backup, { recursive: true })
  })
})

async function incarnations(stage: DeliveryStage): Promise<readonly string[]> {
  const rows = await stage.store.query.rows<{ i: string }>(
    'SELECT DISTINCT toString(incarnation) AS i FROM snapshots_v1',
  )
  return rows.map(({ i }) => i)
}

async function outcomes(stage: DeliveryStage): Promise<Readonly<Record<string, number>>> {
  const rows = await stage.store.query.rows<{ outcome: string; n: number }>(
    'SELECT toString(outcome) AS outcome, count() AS n FROM snapshots_v1 FINAL GROUP BY outcome',
  )
  return Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]))
}
