import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { assertStored, type ContractSum } from '../pipeline/checksum.ts'
import { type BenchInput, contractsOf } from '../pipeline/input.ts'
import { cpuBetween, cpuSecondsOf } from '../pipeline/process-figures.ts'
import { aborted, committedMessages } from '../pipeline/processor.ts'
import { startProcessor } from '../pipeline/processor-process.ts'
import { publishAll } from '../pipeline/publish.ts'
import { count } from '../pipeline/report.ts'
import { type Stand, startStand } from '../pipeline/stand.ts'
import { commitRows, optionQuotes } from '../../shared/store/tables.ts'
import { confine } from './cores.ts'
import { startCountingSink } from './sink.ts'

export interface RunOptions {
  readonly processors: 1 | 2
  /** `clickhouse`: one server that stores everything. `counting`: rows are counted and dropped. */
  readonly sink: 'clickhouse' | 'counting'
  /** Each processor's only core. @default all of them may run on all */
  readonly cores: readonly number[] | null
  /** The only core of everything else that is measured: the servers, and this process with its sink. @default all */
  readonly othersCore: number | null
  readonly input: BenchInput
  readonly expected: ContractSum
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly onProgress: (text: string) => void
}

export interface Run {
  readonly seconds: number
  readonly contractsPerSecond: number
  /** Of all processors together, while they worked. */
  readonly cpuSeconds: number | null
  /** Of what they work with, meanwhile: `bench` is the counting sink. It shares their cores. */
  readonly othersCpuSeconds: Readonly<Record<'nats' | 'clickhouse' | 'bench', number | null>>
  /** Contracts each of them wrote. */
  readonly shares: readonly number[]
}

const partitions = 16
const stallLimitMs = 300_000

/**
 * One measurement on servers of its own: processors share the partitions, work on the first of the messages until their code is
 * compiled, then stand still while the stream fills with the rest.
 */
export async function measureRun(options: RunOptions): Promise<Run> {
  const { processors, sink, input, signal, onProgress } = options
  const { warmUp, measured } = splitInput(input)
  await using stand = await startStand()
  await using _ = await confine([stand.natsPid, stand.clickhouse.pid, process.pid], options.othersCore)
  await using counting = sink === 'counting' ? await startCountingSink(stand.clickhouse.url) : null
  await using fleet = startFleet({ ...options, stand, url: counting?.url ?? stand.clickhouse.url })
  const until = (what: string, condition: (members: readonly Member[]) => boolean): Promise<void> =>
    Promise.race([fleet.until(condition), fleet.ended, aborted(signal), failAfter(stallLimitMs, what)])
  await until('every partition to be owned', (members) =>
    members.every(({ owned }) => owned.size === partitions / processors),
  )
  await publishAll(stand, warmUp, signal)
  await until('the first messages', (members) => sumOf(members, 'messages') >= warmUp.length)
  fleet.stop()
  await publishAll(stand, measured, signal)
  const [cpuBefore, contractsBefore] = [fleet.cpuSeconds(), fleet.members.map(({ contracts }) => contracts)]
  const othersBefore = othersCpu(stand)
  const startMs = performance.now()
  fleet.goOn()
  await until('all messages', (members) => sumOf(members, 'messages') >= input.snapshots.length)
  const committed = counting?.rows.get(commitRows.table) ?? (await committedMessages(stand))
  const seconds = (performance.now() - startMs) / 1000
  const [cpuAfter, others] = [fleet.cpuSeconds(), othersCpu(stand)]
  if (committed !== input.snapshots.length)
    throw new Error(`${committed} commit rows of outcome stored, expected ${input.snapshots.length}`)
  await assertRows(options, stand, counting?.rows ?? null)
  const contractsPerSecond = Math.round(contractsOf(measured) / seconds)
  const shares = fleet.members.map(({ contracts }, i) => contracts - (contractsBefore[i] ?? 0))
  onProgress(`${sink}, ${processors}: ${count(contractsPerSecond)} contracts/s, ${shares.map(count).join(' and ')}`)
  return {
    seconds: Math.round(1000 * seconds) / 1000,
    contractsPerSecond,
    cpuSeconds: cpuBetween(cpuBefore, cpuAfter),
    othersCpuSeconds: {
      nats: cpuBetween(othersBefore.nats, others.nats),
      clickhouse: cpuBetween(othersBefore.clickhouse, others.clickhouse),
      bench: cpuBetween(othersBefore.bench, others.bench),
    },
    shares,
  }
}

function othersCpu({ natsPid, clickhouse }: Stand): Run['othersCpuSeconds'] {
  const { user, system } = process.cpuUsage()
  return { nats: cpuSecondsOf(natsPid), clickhouse: cpuSecondsOf(clickhouse.pid), bench: (user + system) / 1e6 }
}

/** The first pass, or a third where there are fewer than three, is not measured. */
function splitInput({ snapshots, passMessages }: BenchInput) {
  const first = Math.min(passMessages, Math.floor(snapshots.length / 3))
  return { warmUp: snapshots.slice(0, first), measured: snapshots.slice(first) }
}

const sumOf = (members: readonly Member[], name: 'messages' | 'contracts'): number =>
  members.reduce((sum, member) => sum + member[name], 0)

async function assertRows(
  { expected }: RunOptions,
  { store }: Stand,
  counted: ReadonlyMap<string, number> | null,
): Promise<void> {
  if (counted === null) return assertStored(store.query, optionQuotes.table, expected)
  const rows = counted.get(optionQuotes.table) ?? 0
  if (rows !== expected.rows) throw new Error(`${rows} contract rows were counted, expected ${expected.rows}`)
}

/** What a processor's log says of it. */
interface Member {
  readonly owned: ReadonlySet<number>
  readonly messages: number
  readonly contracts: number
}

interface Fleet extends AsyncDisposable {
  readonly members: readonly Member[]
  /** Resolves as soon as the log lines make it true. */
  until(condition: (members: readonly Member[]) => boolean): Promise<void>
  readonly ended: Promise<never>
  readonly stop: () => void
  readonly goOn: () => void
  readonly cpuSeconds: () => number | null
}

function startFleet(options: RunOptions & { readonly stand: Stand; readonly url: string }): Fleet {
  const { processors, cores, stand, url, environment, signal } = options
  const events = new EventEmitter()
  const members = Array.from({ length: processors }, () => ({ owned: new Set<number>(), messages: 0, contracts: 0 }))
  const processes = members.map((member, i) =>
    startProcessor({
      stand: { natsUrl: stand.natsUrl, clickhouse: { env: { ...stand.clickhouse.env, CLICKHOUSE_URL: url } } },
      // As the stack names them.
      environment: { ...environment, PROCESSOR_INSTANCE: `processor-${i + 1}` },
      onLine({ msg, partitions: named = [], messages = 0, contracts = 0 }) {
        if (msg === 'partitions taken') for (const partition of named) member.owned.add(partition)
        else if (msg === 'partitions given up') for (const partition of named) member.owned.delete(partition)
        else if (msg === 'flush committed') {
          member.messages += messages
          member.contracts += contracts
        }
        events.emit('line')
      },
      signal,
      core: cores?.[i],
    }),
  )
  const signalAll = (name: NodeJS.Signals): void => processes.forEach(({ child }) => void child.kill(name))
  return {
    members,
    async until(condition) {
      while (!condition(members)) await once(events, 'line')
    },
    ended: Promise.race(processes.map(({ ended }) => ended)),
    stop: () => signalAll('SIGSTOP'),
    goOn: () => signalAll('SIGCONT'),
    cpuSeconds() {
      const sum = processes.reduce((total, { pid }) => total + (cpuSecondsOf(pid) ?? Number.NaN), 0)
      return Number.isNaN(sum) ? null : sum
    },
    async [Symbol.asyncDispose]() {
      signalAll('SIGCONT')
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()))
    },
  }
}

async function failAfter(ms: number, what: string): Promise<never> {
  await pause(ms, undefined, { ref: false })
  throw new Error(`waited ${ms} ms in vain for ${what}`)
}
