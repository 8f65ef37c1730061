import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createChainStream } from '../../services/processor/chain-stream.ts'
import { createLedger } from '../../services/processor/clickhouse-ledger.ts'
import { findPlaces, type Placed } from '../../services/processor/delivery/place.ts'
import type { Ledger } from '../../services/processor/delivery/ports.ts'
import { deliveryRules } from '../../services/processor/delivery/rules.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { type DeliveryStage, openStage } from '../support/delivery-stage.ts'

const partition = 0

describe('where an owner goes on', () => {
  let stage: DeliveryStage
  let ledger: Ledger
  let created: string
  beforeAll(async () => {
    stage = await openStage()
    ledger = createLedger(stage.store, { owner: 'test', codeVersion: 'v' })
    created = (await streamInfo(stage.bus, 'CHAINS')).created
    for (let n = 1; n <= 6; n += 1) {
      await stage.publisher.publish(`chains.raw.${partition}.test.SPY`, new Uint8Array(1), { messageId: `id-${n}` })
    }
  })
  afterAll(async () => {
    await stage[Symbol.asyncDispose]()
  })

  const place = async (): Promise<Placed | undefined> => {
    const stream = createChainStream(stage.bus, 'embedded', 1)
    return (await findPlaces([partition], { ledger, stream, rules: deliveryRules }))[0]
  }
  const commit = (incarnation: string, seq: number, messageId: string, previousSeq = seq - 1): Promise<void> =>
    stage.store.command(
      `INSERT INTO snapshots_v1 (incarnation, partition, stream_seq, previous_seq, message_id, outcome)
       SELECT {incarnation:String}, {partition:UInt16}, {seq:UInt64}, {previousSeq:UInt64}, {messageId:String}, 'stored'`,
      { incarnation, partition, seq, previousSeq, messageId },
    )
  const forget = (): Promise<void> => stage.store.command('TRUNCATE TABLE snapshots_v1')

  it('at the beginning when nothing is committed', async () => {
    expect(await place()).toMatchObject({ incarnation: created, cursor: 0, wentBack: false })
  })

  it('after the end of the unbroken chain, and not after a commit row behind a hole', async () => {
    await commit(created, 1, 'id-1')
    await commit(created, 2, 'id-2')
    await commit(created, 5, 'id-5', 4)
    expect(await place()).toMatchObject({ cursor: 2, cursorMessageId: 'id-2', committedTo: 5, wentBack: false })
    await commit(created, 3, 'id-3')
    await commit(created, 4, 'id-4')
    expect(await place()).toMatchObject({ cursor: 5, committedTo: 5 })
  })

  it('after the last message that is the same, when the stream was refilled past the cursor', async () => {
    await forget()
    for (const seq of [1, 2, 3]) await commit(created, seq, `id-${seq}`)
    for (const seq of [4, 5]) await commit(created, seq, `lost-${seq}`)
    expect(await place()).toMatchObject({ incarnation: `${created}#1@3`, cursor: 3, wentBack: true })
    await commit(`${created}#1@3`, 4, 'id-4', 3)
    expect(await place()).toMatchObject({ incarnation: `${created}#1@3`, cursor: 4, wentBack: false })
  })

  it('after the last message that is the same, when the stream ends before the cursor', async () => {
    await forget()
    for (const seq of [1, 2, 3, 4, 5, 6]) await commit(created, seq, `id-${seq}`)
    for (const seq of [7, 8, 9]) await commit(created, seq, `lost-${seq}`)
    expect(await place()).toMatchObject({ incarnation: `${created}#1@6`, cursor: 6, wentBack: true })
  })

  it('at what the stream still has, when it has discarded what was committed', async () => {
    await forget()
    for (const seq of [1, 2, 3]) await commit(created, seq, `id-${seq}`)
    await stage.bus.jsm.streams.purge('CHAINS', { seq: 5 })
    expect(await place()).toMatchObject({ incarnation: created, cursor: 3, wentBack: false })
    await commit(created, 6, 'id-6', 5)
    // Its predecessor at 5 can still be read and has no commit row.
    expect(await place()).toMatchObject({ cursor: 3, committedTo: 6 })
    await commit(created, 5, 'id-5', 3)
    expect(await place()).toMatchObject({ cursor: 6 })
  })

  it('at the beginning when the stream was made anew', async () => {
    expect(
      (
        await findPlaces([partition], {
          ledger,
          stream: {
            ...createChainStream(stage.bus, 'embedded', 1),
            facts: async () => ({ created: 'another time', firstSeq: 1, lastSeq: 2 }),
          },
          rules: deliveryRules,
        })
      )[0],
    ).toMatchObject({ incarnation: 'another time', cursor: 0, wentBack: false })
  })
})

describe('the epochs of partitions', () => {
  it('tell who came later, and two of the same epoch apart', async () => {
    await using stage = await openStage()
    const [one, two] = ['one', 'two'].map((owner) => createLedger(stage.store, { owner, codeVersion: 'v' }))
    await one?.insertEpochs(
      new Map([
        [0, 1],
        [1, 1],
      ]),
    )
    expect(
      await one?.rivals(
        new Map([
          [0, 1],
          [1, 1],
        ]),
      ),
    ).toEqual(new Set())
    await two?.insertEpochs(new Map([[1, 2]]))
    expect(
      await one?.rivals(
        new Map([
          [0, 1],
          [1, 1],
        ]),
      ),
    ).toEqual(new Set([1]))
    await two?.insertEpochs(new Map([[0, 1]]))
    expect(await one?.rivals(new Map([[0, 1]]))).toEqual(new Set([0]))
    expect(await two?.highestEpochs([0, 1, 2])).toEqual(
      new Map([
        [0, 1],
        [1, 2],
      ]),
    )
  })
})
