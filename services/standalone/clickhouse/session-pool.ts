import type { Engine } from './engine.ts'
import { codes, exception } from './exceptions.ts'
import { openSession, type Session, type SessionDefaults, sessionKind, type SessionWish } from './session.ts'

export interface PoolWish extends SessionWish {
  /** A named session of a client, used in place of one of the pool's; it stays with its owner. */
  readonly owned?: Session | undefined
  readonly signal: AbortSignal
}

export interface SessionPoolOptions {
  readonly engine: Engine
  readonly defaults: SessionDefaults
  readonly maxSessions: number
  readonly maxWaiting: number
}

/**
 * Sessions side by side on one data directory. A connection runs one statement at a time, so a slow query holds one
 * session and no other. A session goes back only after its settings are reset; one that cannot be reset is closed.
 */
export class SessionPool implements AsyncDisposable {
  readonly #options: SessionPoolOptions
  readonly #free: Session[] = []
  readonly #queue: (() => void)[] = []
  readonly #rested: (() => void)[] = []
  #busy = 0

  constructor(options: SessionPoolOptions) {
    this.#options = options
  }

  get busy(): number {
    return this.#busy
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** Runs `use` with a clean session of its own; waits for one when all are busy. */
  async withSession<T>(wish: PoolWish, use: (session: Session) => Promise<T>): Promise<T> {
    await this.#turn(wish.signal)
    const { engine, defaults } = this.#options
    let session = wish.owned
    try {
      session ??= this.#takeFree(wish) ?? (await openSession(engine, defaults, wish))
      return await use(session)
    } finally {
      // Not awaited: the answer need not wait for the resetting, the next user of the session does.
      void this.#giveBack(session, wish.owned !== undefined)
    }
  }

  /** Resolves when nothing runs or waits any more. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#rested.push(resolve)
      this.#settle()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of this.#free.splice(0)) session.close()
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { maxSessions, maxWaiting } = this.#options
    if (this.#busy < maxSessions) {
      this.#busy += 1
      return
    }
    if (this.#queue.length >= maxWaiting) {
      const text = `Too many simultaneous queries. ${maxSessions} are running, ${maxWaiting} are waiting`
      throw exception(codes.tooManySimultaneousQueries, text)
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        const at = this.#queue.indexOf(start)
        if (at !== -1) this.#queue.splice(at, 1)
        reject(signal.reason as Error)
        this.#settle()
      }
      this.#queue.push(start)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #takeFree(wish: SessionWish): Session | undefined {
    const kind = sessionKind(wish)
    const at = this.#free.findLastIndex((session) => session.kind === kind)
    if (at !== -1) return this.#free.splice(at, 1)[0]
    // The pool's places are shared by all kinds: the longest idle one makes room.
    if (this.#free.length + this.#busy > this.#options.maxSessions) this.#free.shift()?.close()
    return undefined
  }

  async #giveBack(session: Session | undefined, isOwned: boolean): Promise<void> {
    const isClean = session !== undefined && (await session.restore())
    if (session !== undefined && !isOwned) {
      if (isClean) this.#free.push(session)
      else session.close()
    }
    const next = this.#queue.shift()
    if (next === undefined) this.#busy -= 1
    else next()
    this.#settle()
  }

  #settle(): void {
    if (this.#busy > 0 || this.#queue.length > 0) return
    for (const resolve of this.#rested.splice(0)) resolve()
  }
}
