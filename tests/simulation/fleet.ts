import { Delivery } from '../../services/processor/delivery/delivery.ts'
import type { DeliveryOptions, Observer, Place, PointName, Ports } from '../../services/processor/delivery/ports.ts'
import { deliveryRules } from '../../services/processor/delivery/rules.ts'
import { KeyStates } from '../../services/processor/key-states.ts'
import type { Logger } from '../../shared/runtime/logger.ts'
import type { AlertsModel } from './alerts-model.ts'
import type { BucketModel } from './bucket-model.ts'
import type { Bug } from './bugs.ts'
import { roundedAsStored } from './compute.ts'
import { createHandlerModel } from './handler-model.ts'
import { Host, stopMs } from './host.ts'
import { createLedgerModel } from './ledger-model.ts'
import type { SinkModel } from './sink-model.ts'
import type { SimulatedBatch } from './sink-rows.ts'
import type { StreamModel } from './stream-model.ts'
import type { World } from './world.ts'

export interface Backends {
  readonly stream: StreamModel
  readonly coord: BucketModel
  readonly cursors: BucketModel
  readonly sink: SinkModel
  readonly alerts: AlertsModel
}

export interface FleetOptions {
  readonly delivery: Omit<DeliveryOptions, 'instance' | 'boot'>
  readonly backends: Backends
  readonly bug: Bug | null
  /** Called with the owner's name in the sink. */
  readonly onOpen: (place: Place, owner: string) => void
  readonly onRewound: (partition: number, reason: string) => void
}

interface Member {
  readonly host: Host
  readonly stop: AbortController
}

/** The processors of a run, and what starts them again. */
export class Fleet {
  readonly #world: World
  readonly #options: FleetOptions
  readonly #members = new Set<Member>()
  /** Instances that should be there. */
  readonly #wanted = new Set<string>()
  #boots = 0

  constructor(world: World, options: FleetOptions) {
    this.#world = world
    this.#options = options
  }

  get hosts(): readonly Host[] {
    return [...this.#members].map(({ host }) => host)
  }

  get wanted(): readonly string[] {
    return [...this.#wanted]
  }

  /** Starts a process under a name, beside one that may still be there. */
  start(instance: string): void {
    const { random, note } = this.#world
    this.#wanted.add(instance)
    this.#boots += 1
    const host = new Host(this.#world, {
      instance,
      boot: `${instance}${this.#boots}`,
      clockOffsetMs: random.between(0, 1e7),
      clockSpeed: random.between(0.97, 1.03),
    })
    note?.(`${host.boot} starts`)
    const member = { host, stop: new AbortController() }
    this.#members.add(member)
    const delivery = new Delivery({ ...this.#options.delivery, instance, boot: host.boot }, this.#ports(host))
    void delivery.run(member.stop.signal).then(
      () => this.#onEnd(member, null),
      (error: unknown) => this.#onEnd(member, error),
    )
  }

  #onEnd(member: Member, error: unknown): void {
    const { host } = member
    if (host.isDead) return
    this.#world.note?.(`${host.boot} has ended${error === null ? '' : `: ${(error as Error).message}`}`)
    const isSuperseded = error !== null && (error as { code?: string }).code === 'config'
    if (error !== null && !isSuperseded) this.#world.violated('ended', `${host.boot}: ${(error as Error).stack}`)
    this.#gone(member)
    this.#again(host.instance)
  }

  #gone(member: Member): void {
    member.host.die()
    this.#members.delete(member)
  }

  #again(instance: string): void {
    const { time, random } = this.#world
    time.after(random.between(20, 1_500), () => {
      const isThere = this.hosts.some((host) => host.instance === instance)
      if (this.#wanted.has(instance) && !isThere) this.start(instance)
    })
  }

  kill(host: Host): void {
    const member = [...this.#members].find((each) => each.host === host)
    if (member === undefined) return
    this.#world.note?.(`${host.boot} is killed`)
    this.#gone(member)
    this.#again(host.instance)
  }

  /** SIGTERM; it is not started again. */
  leave(instance: string): void {
    this.#wanted.delete(instance)
    for (const { host, stop } of this.#members) {
      if (host.instance !== instance || stop.signal.aborted) continue
      this.#world.note?.(`${host.boot} is told to stop`)
      host.run(() => stop.abort())
    }
  }

  #point(host: Host, name: PointName): Promise<void> | undefined {
    const { faults } = this.#world
    if (host.isDead) return undefined
    if (faults.strikes('killed at a point', rare[name] ?? 0.02)) {
      this.#world.note?.(`${host.boot} dies at the point ${name}`)
      this.kill(host)
    } else if (faults.strikes('stopped at a point', worst[name] ?? rare[name] ?? 0.01)) {
      this.#world.note?.(`${host.boot} stops at the point ${name}`)
      host.stop(stopMs(this.#world))
      return new Promise((resolve) => host.run(resolve))
    }
    return undefined
  }

  #ports(host: Host): Ports<SimulatedBatch> {
    const { backends, bug, onOpen } = this.#options
    const { stream, coord, cursors, sink, alerts } = backends
    const kill = (): void => {
      this.#world.faults.count('deadly')
      this.kill(host)
    }
    const ports: Ports<SimulatedBatch> = {
      timers: host.timers,
      random: () => this.#world.random.next(),
      coord: coord.client(host),
      cursors: cursors.client(host),
      stream: stream.client(host, (place) => onOpen(place, `${host.instance}/${host.boot}`)),
      ledger: createLedgerModel(this.#world, sink, host),
      sink: sink.client(host),
      handler: createHandlerModel({ host, alerts, kill, round: bug?.round ?? roundedAsStored }),
      rules: deliveryRules,
      point: (name) => this.#point(host, name),
      observer: this.#observer(host),
      log: loggerOf(this.#world, host),
      createStates: (isFirst) => new KeyStates(isFirst),
    }
    return bug?.plant?.(ports, { sink }) ?? ports
  }

  #observer(host: Host): Observer<SimulatedBatch> {
    const { onRewound } = this.#options
    return {
      written: none,
      storeFailed: none,
      delivered: none,
      took: (partitions) => this.#world.note?.(`${host.boot} owns ${partitions.join()}`),
      lost: (partitions, reason) => this.#world.note?.(`${host.boot} gives up ${partitions.join()}: ${reason}`),
      rewound: (partition, reason) => {
        if (!host.isDead) onRewound(partition, reason)
      },
      settled: none,
    }
  }
}

const none = (): void => {}

/** Points that every message passes are dangerous less often than those of a flush or a taking. */
const rare: Partial<Record<PointName, number>> = {
  opening: 0.001,
  'alerts-sent': 0.001,
  'read-back': 0.001,
  renewing: 0.001,
}

/** A stop here wakes up with a write in its hand. */
const worst: Partial<Record<PointName, number>> = { 'lease-checked': 0.04, 'rows-stored': 0.12, acknowledged: 0.12 }

function loggerOf({ note }: World, host: Host): Logger {
  const write =
    note === undefined
      ? () => {}
      : (facts: unknown, text?: string) => note(`${host.boot} says: ${text} ${JSON.stringify(facts, plain)}`)
  const logger = { debug: write, info: write, warn: write, error: write, fatal: write, child: () => logger } as Logger
  return logger
}

const plain = (_: string, value: unknown): unknown => (value instanceof Error ? value.message : value)
