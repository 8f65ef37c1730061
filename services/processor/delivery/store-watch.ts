import type { Batch, Ports, Servers } from './ports.ts'

export interface StoreWatchDeps {
  readonly ports: Pick<Ports<Batch>, 'ledger' | 'rules'>
  /** Called when a server that was known has started again: what was read back of it before may be there no more. */
  readonly onStartedAgain: () => void
}

/**
 * Which life of the store's servers this process has read back from. A server that lost its power may have lost its last seconds,
 * of some tables more than of others, and nobody who does not ask would notice: rows whose commit rows survive, commit rows behind
 * newer ones. Who notices takes all its partitions anew, the audit included; and an insert decided under the life before is refused.
 */
export class StoreWatch {
  readonly #deps: StoreWatchDeps
  #servers: Servers = new Map()
  #restarts = 0

  constructor(deps: StoreWatchDeps) {
    this.#deps = deps
  }

  /** As of the newest look; never changed, but replaced. */
  get servers(): Servers {
    return this.#servers
  }

  /** How often a server was found to have started again. */
  get restarts(): number {
    return this.#restarts
  }

  /** Rejects when the store does not answer. */
  async look(): Promise<void> {
    const { ports, onStartedAgain } = this.#deps
    const { name, startedS } = await ports.ledger.server()
    const known = this.#servers.get(name)
    // An answer that was long under way may be older than what is known.
    this.#servers = new Map(this.#servers).set(name, Math.max(startedS, known ?? startedS))
    if (known === undefined || !ports.rules.hasStartedAgain(known, startedS)) return
    this.#restarts += 1
    onStartedAgain()
  }
}
