import { setTimeout as delay } from 'node:timers/promises'
import { connectBus } from '../../shared/bus/connect.ts'
import { createPublisher, type Publisher } from '../../shared/bus/publisher.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { chainIn, layoutFrom } from './chains.ts'
import { type Journal, openJournal, readJournals } from './journal.ts'

/*
 * A publisher as a process of its own: chains of its underlyings, step after step, each until it is acknowledged. After a kill it goes on
 * where its journal ends, under the same message ids. At SIGTERM it ends when what was tried is acknowledged.
 */
const { NATS_URL = '', TORTURE_JOURNAL = '', TORTURE_UNDERLYINGS = '', TORTURE_INTERVAL_MS = '500' } = process.env
const layout = layoutFrom(process.env['TORTURE_LAYOUT'])
const log = createLogger({ service: 'publisher' })
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
process.on('disconnect', () => process.exit(1))

const before = readJournals([TORTURE_JOURNAL])
using journal = openJournal(TORTURE_JOURNAL)
await using bus = await connectBus({ servers: NATS_URL, name: 'publisher', log })
const publisher = createPublisher(bus, { publisherId: `torture/${process.pid}`, deadlineMs: 600_000 })
process.stdout.write('{"ready":true}\n')
await Promise.all(TORTURE_UNDERLYINGS.split(',').map((underlying, i) => run(underlying, i, journal, publisher)))
process.channel?.unref()

async function run(underlying: string, index: number, journal: Journal, publisher: Publisher): Promise<void> {
  const intervalMs = Number(TORTURE_INTERVAL_MS)
  let step = nextStep(underlying)
  await pause((index * 37) % intervalMs)
  // What was tried and not acknowledged is tried again, whatever the time.
  const isOpen = before.attempted.get(underlying)?.at(-1) === step
  if (!isOpen && stop.signal.aborted) return
  do {
    const { subject, payload, messageId, headers } = chainIn(layout, underlying, step)
    journal.attempted(underlying, step)
    await publisher.publish(subject, payload, { messageId, headers })
    journal.acked(underlying, step)
    step += 1
    await pause(intervalMs)
  } while (!stop.signal.aborted)
}

function nextStep(underlying: string): number {
  const last = before.attempted.get(underlying)?.at(-1)
  if (last === undefined) return 0
  return before.acked.get(underlying)?.has(last) === true ? last + 1 : last
}

function pause(ms: number): Promise<unknown> {
  return delay(ms, undefined, { signal: stop.signal }).catch(() => {})
}
