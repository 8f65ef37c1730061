import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { BenchContext } from '../pipeline/run-bench.ts'
import { committedMessages } from '../pipeline/processor.ts'
import { cpuSecondsOf } from '../pipeline/process-figures.ts'
import { startProcessor } from '../pipeline/processor-process.ts'
import { mergesIdle, type Stand } from '../pipeline/stand.ts'
import { waitFor } from '../../tests/support/wait-for.ts'
import { type AlertFigures, compareAlerts } from './alerts.ts'
import { type Floor, measureFloor, since } from './floor.ts'
import { historyPasses, type MarketPlan } from './market.ts'
import { createSend, publishPaced, type Send, type Sent } from './publish.ts'
import { type Quantiles, quantilesOf } from './quantiles.ts'
import { openReceiver, type Receiver } from './receiver.ts'
import { type ChainSource, openSource } from './source.ts'
import { type Visibility, watchVisibility } from './visibility.ts'

export interface LatencyOptions extends BenchContext {
  readonly plan: MarketPlan
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly profileDirectory: string | null
}

export interface Figures extends AlertFigures {
  readonly messages: number
  readonly contracts: number
  readonly bytes: number
  readonly publishToAlertMs: Quantiles
  readonly publishToQueryableMs: Quantiles
  /** Publish call to the last features on `features.>`, for every chain; those that come close together leave together. */
  readonly publishToFeaturesMs: Quantiles
  readonly featuresMsBySize: readonly (Quantiles & { readonly contractsBelow: number | null })[]
  readonly missedMessages: number
  readonly floor: Floor
  readonly flushes: number
  readonly cpuSeconds: Readonly<Record<'processor' | 'clickhouse' | 'nats' | 'bench', number | null>>
  readonly seconds: number
  readonly latenessMs: Quantiles
  readonly benchLoopDelayP99Ms: number
  readonly looks: number
}

const minuteMs = 60_000
const floorSeconds = 20
const settleLimitMs = 60_000

/** History at full speed, then minutes at the market's pace with the alerts and the table watched. */
export async function measureLatency(options: LatencyOptions): Promise<Figures> {
  const { plan, stand, signal, onProgress } = options
  const everyMs = minuteMs / plan.underlyings
  await using source = openSource(plan)
  const send = createSend(stand.bus, signal)
  const subscriber = await stand.connect('subscriber')
  const floorCount = Math.min(plan.underlyings, Math.round((floorSeconds * 1000) / everyMs))
  const floor = await measureFloor({ bus: subscriber, send, next: source.next, count: floorCount, everyMs, signal })
  onProgress(`without a processor: p99 ${floor.core.p99} ms to a subscriber, ${floor.stream.p99} ms to a reader`)
  let flushes = 0
  await using visibility = watchVisibility(stand.store.query, historyPasses * plan.underlyings)
  await using processor = startProcessor({
    ...options,
    onLine({ msg }) {
      if (msg !== 'flush committed') return
      flushes += 1
      visibility.flushed()
    },
  })
  const rest = historyPasses * plan.underlyings - floorCount
  await Promise.race([publishHistory(send, source, rest, options), processor.ended])
  await mergesIdle(stand, signal)
  onProgress(`history of ${historyPasses} passes is stored; ${plan.minutes} minutes at ${plan.underlyings} chains each`)
  const flushesBefore = flushes
  const measuring = measurePaced(options, {
    send,
    source,
    subscriber,
    visibility,
    everyMs,
    processorPid: processor.pid,
  })
  const measured = await Promise.race([measuring, processor.ended])
  return { ...measured, floor, flushes: flushes - flushesBefore }
}

async function publishHistory(
  send: Send,
  source: ChainSource,
  count: number,
  { stand, signal, plan }: LatencyOptions,
): Promise<void> {
  const acks: Promise<unknown>[] = []
  for (let i = 0; i < count; i++) {
    signal.throwIfAborted()
    const chain = await source.next()
    if (chain === null) throw new Error('the market ended within its history')
    acks.push((await send(chain)).acked)
  }
  await Promise.all(acks)
  const wanted = historyPasses * plan.underlyings
  await waitFor('the history to be stored', async () => (await committedMessages(stand)) === wanted, {
    timeoutMs: 600_000,
    intervalMs: 500,
  })
}

interface Parts {
  readonly send: Send
  readonly source: ChainSource
  readonly subscriber: Stand['bus']
  readonly visibility: Visibility
  readonly everyMs: number
  readonly processorPid: number
}

async function measurePaced(options: LatencyOptions, parts: Parts): Promise<Omit<Figures, 'floor' | 'flushes'>> {
  const { plan, stand, signal, onProgress } = options
  const { send, source, subscriber, visibility, everyMs } = parts
  const receiver = await openReceiver(subscriber)
  const looksBefore = visibility.looks
  const loopDelay = monitorEventLoopDelay({ resolution: 1 })
  const cpuBefore = cpuOf(stand, parts.processorPid)
  const startMs = performance.now()
  loopDelay.enable()
  const count = plan.minutes * plan.underlyings
  const progress = setInterval(
    () => onProgress(`${receiver.alerts.size} alerts, ${visibility.seenMs.size} chains`),
    minuteMs,
  )
  const { sent, latenessMs } = await publishPaced(send, source.next, { count, everyMs, signal }).finally(() =>
    clearInterval(progress),
  )
  const acks = await Promise.all(sent.map(({ acked }) => acked))
  loopDelay.disable()
  const cpu = cpuOf(stand, parts.processorPid)
  const seconds = (performance.now() - startMs) / 1000
  await waitFor('all to be visible', () => visibility.seenMs.size >= count, { timeoutMs: settleLimitMs }).catch(
    () => {},
  )
  const alerts = await compareAlerts(stand.store.query, receiver, sent, plan)
  return {
    messages: sent.length,
    contracts: sent.reduce((sum, { contracts }) => sum + contracts, 0),
    bytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
    ...alerts,
    publishToAlertMs: quantilesOf(alertDurations(receiver, sent)),
    ...queryable(sent, acks, visibility),
    publishToFeaturesMs: quantilesOf(since(sent, receiver.features)),
    featuresMsBySize: bySize(sent, receiver),
    cpuSeconds: difference(cpuBefore, cpu),
    seconds: rounded(seconds),
    latenessMs: quantilesOf(latenessMs),
    benchLoopDelayP99Ms: rounded(loopDelay.percentile(99) / 1e6),
    looks: visibility.looks - looksBefore,
  }
}

function alertDurations({ alerts }: Receiver, sent: readonly Sent[]): readonly number[] {
  const sentMs = new Map(sent.map((one) => [one.snapshotId, one.sentMs]))
  return [...alerts.values()].flatMap(({ snapshotId, receivedMs }) => {
    const at = sentMs.get(snapshotId)
    return at === undefined ? [] : [receivedMs - at]
  })
}

function queryable(sent: readonly Sent[], acks: readonly { readonly streamSeq: number }[], { seenMs }: Visibility) {
  const durations = sent.flatMap(({ sentMs }, i) => {
    const at = seenMs.get(acks[i]?.streamSeq ?? -1)
    return at === undefined ? [] : [at - sentMs]
  })
  return { publishToQueryableMs: quantilesOf(durations), missedMessages: sent.length - durations.length }
}

const rounded = (value: number): number => Math.round(value * 100) / 100

const sizeClasses = [300, 1_000, 3_000, null] as const

function bySize(sent: readonly Sent[], { features }: Receiver): Figures['featuresMsBySize'] {
  return sizeClasses.map((below, i) => {
    const from = sizeClasses[i - 1] ?? 0
    const within = sent.filter(({ contracts }) => contracts >= from && (below === null || contracts < below))
    return { contractsBelow: below, ...quantilesOf(since(within, features)) }
  })
}

type Cpu = Figures['cpuSeconds']

function cpuOf({ clickhouse, natsPid }: Stand, processorPid: number): Cpu {
  const { user, system } = process.cpuUsage()
  return {
    processor: cpuSecondsOf(processorPid),
    clickhouse: cpuSecondsOf(clickhouse.pid),
    nats: cpuSecondsOf(natsPid),
    bench: (user + system) / 1e6,
  }
}

function difference(before: Cpu, after: Cpu): Cpu {
  const of = (name: keyof Cpu): number | null => {
    const [from, to] = [before[name], after[name]]
    return from === null || to === null ? null : Math.round((to - from) * 100) / 100
  }
  return { processor: of('processor'), clickhouse: of('clickhouse'), nats: of('nats'), bench: of('bench') }
}
