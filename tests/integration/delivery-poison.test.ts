import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadLetters } from '../../shared/bus/dead-letters.ts'
import { decodeJson, messageAt } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import {
  type ChainMessage,
  chainMessage,
  chainMessages,
  type DeliveryStage,
  openStage,
  waitForCommits,
} from '../support/delivery-stage.ts'
import { strikeflow } from '../support/stack.ts'

const preload = { NODE_OPTIONS: `--import=${new URL('../support/poison.ts', import.meta.url).pathname}` }

interface Commit {
  readonly snapshot_id: string
  readonly message_id: string
  readonly outcome: string
  readonly reason: string
}

describe('a message that kills the processor', { timeout: 120_000 }, () => {
  let stage: DeliveryStage
  beforeAll(async () => {
    stage = await openStage()
  })
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
  })

  const poison: ChainMessage = chainMessage({ underlying: 'POISON', step: 3 })
  const commits = (where: string): Promise<readonly Commit[]> =>
    stage.store.query.rows<Commit>(
      `SELECT toString(snapshot_id) AS snapshot_id, message_id, toString(outcome) AS outcome, reason FROM snapshots_v1 FINAL WHERE ${where}`,
    )

  it('is given up unread at the third death, and takes nothing else with it', async () => {
    const innocent = chainMessages(16, 6)
    const half = innocent.length / 2
    await stage.publish([...innocent.slice(0, half), poison, ...innocent.slice(half)])
    let deaths = 0
    for (;;) {
      const processor = await stage.start('victim', preload, false)
      const end = await Promise.race([processor.exited.then(() => 'died'), waitForCommits(stage, innocent.length + 1)])
      if (end === true) {
        await processor.stop()
        break
      }
      deaths += 1
      expect(deaths).toBeLessThan(6)
    }
    expect(deaths).toBe(3)
    expect(await commits(`outcome != 'stored'`)).toEqual([
      {
        snapshot_id: '00000000-0000-0000-0000-000000000000',
        message_id: poison.messageId,
        outcome: 'dead-lettered',
        reason: 'crashed_processor',
      },
    ])
    expect((await commits(`outcome = 'stored'`)).length).toBe(innocent.length)
  })

  it('is followed by the retraction of what it may have alerted', async () => {
    const { lastSeq } = await streamInfo(stage.bus, 'ALERTS')
    const last = await messageAt(stage.bus, 'ALERTS', lastSeq)
    expect(last?.subject).toBe('alerts.info.retraction.POISON')
    expect(decodeJson(last?.payload ?? new Uint8Array())).toMatchObject({
      type: 'io.strikeflow.alert.retracted.v1',
      subject: 'POISON',
      data: { snapshotId: poison.messageId, reason: 'crashed_processor' },
    })
  })

  it('can be listed, shown, published again once the fault is mended, and is stored then', async () => {
    const onServer = ['--nats', stage.nats.url]
    const list = await strikeflow(['dlq', 'list', ...onServer])
    expect(list).toMatchObject({ code: 0, stderr: '1 dead letter\n' })
    expect(list.stdout).toContain(`crashed_processor  ${poison.subject}`)
    const [letter] = await Array.fromAsync(deadLetters(stage.bus))
    const seq = String(letter?.seq)
    expect((await strikeflow(['dlq', 'show', seq, ...onServer])).stdout).toContain('"underlying":"POISON"')
    expect(await strikeflow(['dlq', 'replay', seq, ...onServer])).toMatchObject({ code: 0 })
    expect(await Array.fromAsync(deadLetters(stage.bus))).toEqual([])

    const before = await stage.committed()
    const mended = await stage.start('mended')
    await waitForCommits(stage, before + 1)
    expect(await mended.stop()).toBe(0)
    const [commit] = await commits(`message_id LIKE 'replay-%'`)
    expect(commit).toMatchObject({ outcome: 'stored', snapshot_id: poison.messageId })
  })

  it('refuses what makes no sense, and says what does', async () => {
    const onServer = ['--nats', stage.nats.url]
    expect(await strikeflow(['dlq', 'replay', ...onServer])).toMatchObject({ code: 2 })
    expect(await strikeflow(['dlq', 'drop', '1', '--all', ...onServer])).toMatchObject({ code: 2 })
    const missing = await strikeflow(['dlq', 'show', '99', ...onServer])
    expect(missing).toMatchObject({ code: 2 })
    expect(missing.stderr).toContain('There is no dead letter 99')
    expect((await strikeflow(['dlq', '--help'])).stdout).toContain('replay')
  })

  it('drops what nobody wants', async () => {
    const processor = await stage.start('reader')
    const before = await stage.committed()
    await stage.publish([{ ...poison, payload: new Uint8Array(10), messageId: 'not a snapshot' }])
    await waitForCommits(stage, before + 1)
    const [letter] = await Array.fromAsync(deadLetters(stage.bus))
    expect(letter).toMatchObject({ reason: 'undecodable', messageId: 'not a snapshot', subject: poison.subject })
    expect(
      await strikeflow(['dlq', 'drop', '--all', '--reason', 'undecodable', '--nats', stage.nats.url]),
    ).toMatchObject({ code: 0 })
    expect(await Array.fromAsync(deadLetters(stage.bus))).toEqual([])
    await processor.stop()
  })
})
