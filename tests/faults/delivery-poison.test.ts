import { headers as newHeaders } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadLetters } from '../../shared/bus/dead-letters.ts'
import { decodeJson, messageAt } from '../../shared/bus/messages.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { decodeSnapshot, encodeSnapshot } from '../../shared/model/snapshot-codec.ts'
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

describe('a message that kills the processor', () => {
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

  it('are published again once each, in their order, however they are named', async () => {
    await using stage = await openStage()
    const one = await stage.start('one')
    const letters = [1, 2].map((step) => ({ ...poison, payload: new Uint8Array(10), messageId: `garbage-${step}` }))
    await stage.publish(letters)
    await waitForCommits(stage, 2)
    await one.stop()
    const { lastSeq } = await streamInfo(stage.bus, 'CHAINS')
    const replayed = await strikeflow(['dlq', 'replay', '2', '1', '2', '--nats', stage.nats.url])
    expect(replayed).toMatchObject({ code: 0, stderr: '' })
    const again = await Promise.all([1, 2, 3].map((n) => messageAt(stage.bus, 'CHAINS', lastSeq + n)))
    expect(again.map((message) => message?.headers.get('Sf-Replay-Of'))).toEqual(['garbage-1', 'garbage-2', undefined])
    const none = await strikeflow(['dlq', 'replay', '--all', '--reason', 'undecodable', '--nats', stage.nats.url])
    expect(none).toMatchObject({ code: 0, stderr: 'no dead letters of undecodable\n' })
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

describe('a message nobody can take', () => {
  const large = new Uint8Array(1_040_000)

  it('larger than a dead letter may be is kept cut, says so, and is not published again', async () => {
    await using stage = await openStage()
    await stage.start('one')
    const after = chainMessage({ underlying: 'T0', step: 1 })
    // As any client may: the stream takes 1 MiB with headers.
    await stage.bus.js.publish(after.subject, large, { msgID: 'large-garbage' })
    await stage.publish([after])
    await waitForCommits(stage, 2)
    const letters = await Array.fromAsync(deadLetters(stage.bus))
    expect(letters).toMatchObject([
      { reason: 'undecodable', subject: after.subject, fullBytes: 1_040_000, streamSeq: 1 },
    ])
    const onServer = ['--nats', stage.nats.url]
    const shown = await strikeflow(['dlq', 'show', '1', ...onServer])
    expect(shown.stdout).toContain('not whole: it has 65536 of the 1040000 bytes')
    expect(shown.stdout).toContain('message 1 of CHAINS')
    const replayed = await strikeflow(['dlq', 'replay', '1', ...onServer])
    expect(replayed).toMatchObject({ code: 2 })
    expect(replayed.stderr).toContain('cannot be published again')
    const rest = await strikeflow(['dlq', 'replay', '--all', ...onServer])
    expect(rest).toMatchObject({ code: 0 })
    expect(rest.stderr).toContain('left where it is')
    expect(await Array.fromAsync(deadLetters(stage.bus))).toHaveLength(1)
  })

  it('ends no owner and stops none, at first sight or after another was killed over the range', async () => {
    await using stage = await openStage()
    const first = await stage.start('first')
    const good = chainMessage({ underlying: 'T0', step: 1 })
    await stage.publish([good])
    await waitForCommits(stage, 1)
    first.kill('SIGKILL')
    await first.exited
    const [, , partition] = good.subject.split('.')
    const { js } = stage.bus
    await js.publish(`chains.raw.${partition}.SPY`, new Uint8Array(10), { msgID: 'another shape' })
    await js.publish(`chains.raw.${partition}.test.%ZZ`, new Uint8Array(10), { msgID: 'no escape' })
    await js.publish(`chains.raw.${partition}.test.${'x'.repeat(1_500)}`, new Uint8Array(10), { msgID: 'long' })
    const headers = newHeaders()
    headers.set('Sf-Published-At', '1e300')
    await js.publish(good.subject, new Uint8Array(10), { msgID: 'x'.repeat(20_000), headers })
    await stage.publish([chainMessage({ underlying: 'T0', step: 2 })])
    const second = await stage.start('second')
    await waitForCommits(stage, 6)
    const letters = await Array.fromAsync(deadLetters(stage.bus))
    expect(letters.map(({ fullBytes }) => fullBytes)).toEqual([null, null, 10, null])
    expect(second.process.exitCode).toBeNull()
  })

  it('is a snapshot under the subject of another, in another partition or without a subject of its own', async () => {
    await using stage = await openStage()
    await stage.start('one')
    const [good, other] = [chainMessage({ underlying: 'T0', step: 1 }), chainMessage({ underlying: 'T0', step: 2 })]
    const third = chainMessage({ underlying: 'T0', step: 3 })
    const snapshot = decodeSnapshot(third.payload, third.headers['Content-Encoding'] ?? null, '1')
    const named = encodeSnapshot({ ...snapshot, meta: { ...snapshot.meta, underlying: 'X'.repeat(300) } })
    await stage.publish([
      good,
      { ...other, subject: 'chains.raw.3.test.OTHER' },
      { ...third, payload: named.payload, headers: { 'Sf-Schema': '1', 'Content-Encoding': named.contentEncoding } },
      { ...chainMessage({ underlying: 'T0', step: 4 }), subject: 'chains.raw.3.test.T0' },
      chainMessage({ underlying: 'T0', step: 5 }),
    ])
    await waitForCommits(stage, 5)
    const rows = await stage.store.query.rows<{ outcome: string; n: number }>(
      'SELECT toString(outcome) AS outcome, count() AS n FROM snapshots_v1 GROUP BY outcome ORDER BY outcome',
    )
    expect(Object.fromEntries(rows.map(({ outcome, n }) => [outcome, n]))).toEqual({ stored: 2, 'dead-lettered': 3 })
  })
})
