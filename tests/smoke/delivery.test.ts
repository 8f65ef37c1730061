import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReplayReport } from '../../shared/model/replay.ts'
import { checksums, type TableSum } from '../support/checksum.ts'
import {
  chainMessage,
  chainMessages,
  type DeliveryStage,
  openStage,
  type TestProcessor,
  waitForCommits,
} from '../support/delivery-stage.ts'
import { strikeflow } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

/*
 * One pass of each delivery guarantee against real servers: takeover after kill -9, dead letter, verify with repair, replay.
 * `npm run test:faults` has the many other cases of each.
 */
const messages = chainMessages(24, 16)
const garbage = { ...chainMessage({ underlying: 'T3', step: 99 }), payload: new Uint8Array(64), messageId: 'garbage-1' }
const total = messages.length + 1

describe('delivery on real servers', () => {
  let reference: DeliveryStage
  let stage: DeliveryStage
  let undisturbed: Readonly<Record<string, TableSum>>
  let second: TestProcessor
  beforeAll(async () => {
    reference = await openStage()
    stage = await openStage()
  })
  afterAll(async () => {
    await reference[Symbol.asyncDispose]()
    await stage[Symbol.asyncDispose]()
  })
  const servers = (): Readonly<Record<string, string>> => ({
    NATS_URL: stage.nats.url,
    ...stage.clickhouse.env,
  })

  it('a processor that takes over after kill -9 leaves the rows of an undisturbed one', async () => {
    const alone = await reference.start('alone')
    await reference.publish([...messages, garbage])
    await waitForCommits(reference, total)
    await alone.stop()
    undisturbed = await checksums(reference.store.query)
    expect(undisturbed['alerts_v1']?.rows).toBeGreaterThan(8)

    // Killed at the worst moment: the rows of its first flush are stored, their commit rows are not.
    const first = await stage.start('first', { STRIKEFLOW_CRASH_AT: 'rows-stored:1' })
    second = await stage.start('second')
    await waitFor('both to own partitions', async () =>
      [await first.owned(), await second.owned()].every((owned) => owned.length === 8),
    )
    const half = messages.length / 2
    await stage.publish([...messages.slice(0, half), garbage, ...messages.slice(half)])
    await waitFor('the kill', () => first.process.signalCode === 'SIGKILL')
    await waitForCommits(stage, total)
    expect(await checksums(stage.store.query)).toEqual(undisturbed)
    expect((await second.owned()).length).toBe(16)
  })

  it('a message that cannot be decoded becomes a dead letter that people can list', async () => {
    const list = await strikeflow(['dlq', 'list', '--nats', stage.nats.url])
    expect(list).toMatchObject({ code: 0, stderr: '1 dead letter\n' })
    expect(list.stdout).toContain(`undecodable  ${garbage.subject}`)
  })

  it('`verify --commits` finds rows that are gone, and its repair brings the same rows back', async () => {
    expect(await strikeflow(['verify', '--commits'], servers())).toMatchObject({ code: 0 })
    const lost = messages[100]?.messageId ?? ''
    await stage.clickhouse.control('SYSTEM START MERGES')
    await stage.store.command('DELETE FROM option_quotes_v1 WHERE snapshot_id = {lost:UUID}', { lost })
    const found = await strikeflow(['verify', '--commits'], servers())
    expect(found.code).toBe(1)
    expect(found.stdout).toMatch(/^ {2}missing {2}option_quotes_v1 {2}T4 /m)
    expect(await strikeflow(['verify', '--commits', '--repair'], servers())).toMatchObject({ code: 0 })
    const { snapshots_v1: _, ...rows } = await checksums(stage.store.query)
    expect(undisturbed).toMatchObject(rows)
  })

  it('a replay from the stream gives identical rows', async () => {
    await second.stop()
    const args = ['replay', '--into', 'scratch', '--replace', '--compare', '--source', 'stream', '--json']
    const { code, stdout, stderr } = await strikeflow([...args, '--nats', stage.nats.url], servers())
    expect(stderr).not.toContain('strikeflow:')
    const { comparison } = JSON.parse(stdout) as ReplayReport
    expect(comparison).toMatchObject({ same: true, rows: [], brokenChain: [] })
    expect(code).toBe(0)
  })
})
