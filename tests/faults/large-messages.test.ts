import { zstdDecompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { streamInfo } from '../../shared/bus/streams.ts'
import { partitionOfUnderlying, rawSubject } from '../../shared/bus/subjects.ts'
import { encodeSnapshot, snapshotSchema } from '../../shared/model/snapshot-codec.ts'
import { uuidOf } from '../../shared/model/uuid.ts'
import { chainOf } from '../fixtures/quant/chain-builder.ts'
import { chainMessages, type ChainMessage, openStage } from '../support/delivery-stage.ts'
import { monitoring, startTestNats, type TestNats } from '../support/nats.ts'
import { waitFor } from '../support/wait-for.ts'

const partitions = 16
const largeEach = 6
const smallEach = 20
/** What a server that nobody told anything allows one client to be behind before it cuts it off. */
const defaultPendingBytes = 64 * 1024 * 1024

it('sixteen partitions with messages of 900 KB among small ones store everything, and the server cuts nobody off', async () => {
  const startNats = () => startTestNats({ maxPendingBytes: defaultPendingBytes, configuration: [monitoring] })
  await using stage = await openStage({ startNats })
  // Its leases outlast the pause below.
  const lease = { PROCESSOR_LEASE_TTL_MS: '60000', PROCESSOR_INSERT_LIMIT_MS: '30000', PROCESSOR_FLUSH_MS: '200' }
  const processor = await stage.start('one', lease)
  const messages = mixed()
  const largest = Math.max(...messages.map(({ payload }) => payload.length))
  expect(largest).toBeGreaterThan(900_000)

  // The server has sixteen requests waiting, and a client that reads nothing while the messages come.
  await waitFor('all to be owned', async () => (await processor.owned()).length === partitions)
  await waitFor('sixteen requests', async () => (await waitingRequests(stage.bus.jsm.consumers)) >= partitions)
  processor.kill('SIGSTOP')
  await stage.publish(messages)
  expect((await streamInfo(stage.bus, 'CHAINS')).bytes).toBeGreaterThan(defaultPendingBytes * 1.2)
  processor.kill('SIGCONT')
  await waitFor('all to be stored', async () => (await stage.committed()) >= messages.length)

  expect(await slowConsumers(stage.nats)).toBe(0)
  expect(processor.log.filter(({ msg }) => msg.startsWith('nats '))).toEqual([])
  const [row] = await stage.store.query.rows<{ stored: number; quotes: number; rows: number }>(
    `SELECT countIf(outcome = 'stored') AS stored, sum(n_quotes) AS quotes,
         (SELECT count() FROM option_quotes_v1) AS rows FROM snapshots_v1`,
  )
  expect(row).toEqual({ stored: messages.length, quotes: contractsOf(messages), rows: contractsOf(messages) })
})

interface Sized extends ChainMessage {
  readonly contracts: number
}

const contractsOf = (messages: readonly Sized[]): number => messages.reduce((sum, { contracts }) => sum + contracts, 0)

/** For each partition its share of both, a large one among every few small ones. */
function mixed(): readonly Sized[] {
  const large = Array.from({ length: partitions }, (_, partition) => largeMessages(partition)).flat()
  const small = chainMessages(partitions * 2, smallEach / 2).map((message) => ({ ...message, contracts: 6 }))
  const every = Math.ceil(small.length / large.length)
  return large.flatMap((message, i) => [...small.slice(i * every, (i + 1) * every), message])
}

/** Not compressed, as a publisher may choose: so few contracts weigh as much as the largest chains there are. */
function largeMessages(partition: number): readonly Sized[] {
  const names = Array.from({ length: 2_000 }, (_, i) => `L${i}`)
  const underlying = names.find((name) => partitionOfUnderlying(name) === partition) ?? ''
  return Array.from({ length: largeEach }, (_, step) => {
    const contracts = contractsAt(underlying, step)
    const snapshotId = uuidOf('test', 'large', underlying, String(step))
    const marketTimeMs = Date.UTC(2026, 5, 22, 14) + step * 60_000
    const snapshot = chainOf(contracts, {
      underlying,
      provider: 'test',
      snapshotId,
      marketTimeMs,
      contentHash: `${step}`,
    })
    const { payload } = encodeSnapshot(snapshot)
    return {
      subject: rawSubject(partition, 'test', underlying),
      payload: new Uint8Array(zstdDecompressSync(payload)),
      messageId: snapshotId,
      headers: { 'Sf-Schema': snapshotSchema, 'Content-Encoding': 'identity' },
      contracts: contracts.length,
    }
  })
}

const strikes = 545

function contractsAt(root: string, step: number) {
  return ['2026-07-17', '2026-08-21', '2026-09-18', '2026-10-16', '2026-12-18', '2027-01-15'].flatMap((expiry) =>
    Array.from({ length: strikes }, (_, i) =>
      (['C', 'P'] as const).map((right) => {
        const strike = 50 + i / 5
        const worth = Math.max(0, right === 'C' ? 100 - strike : strike - 100) + 2 + (step % 3) / 100
        return {
          root,
          expiry,
          strike,
          right,
          bid: worth - 0.05,
          ask: worth + 0.05,
          volume: i + step,
          openInterest: 500,
        }
      }),
    ).flat(),
  )
}

interface Consumers {
  list(stream: string): AsyncIterable<{ readonly num_waiting: number }>
}

async function waitingRequests(consumers: Consumers): Promise<number> {
  let waiting = 0
  for await (const { num_waiting } of consumers.list('CHAINS')) waiting += num_waiting
  return waiting
}

/** By the server's own count, over its life. */
async function slowConsumers(nats: TestNats): Promise<number> {
  const answer = (await (await fetch(`${await nats.monitorUrl()}/varz`)).json()) as { readonly slow_consumers: number }
  return answer.slow_consumers
}
