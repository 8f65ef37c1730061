import type { Engine } from './engine.ts'
import { codes, exception } from './exceptions.ts'
import { openSession, type Session, type SessionDefaults, sessionKind, type SessionMode } from './session.ts'

export interface SessionWish {
  readonly mode: SessionMode
  /** Seconds, as the setting; part of a `read` session, which cannot change it later. */
  readonly maxExecutionTime?: string | undefined
  /** A named session of a client, used in place of one of the pool's; it stays with its owner. */
  readonly owned?: Session | undefined
  readonly signal: AbortSignal
}

export interface SessionPool extends AsyncDisposable {
  readonly busy: number
  readonly waiting: number
  /** Runs `use` with a clean session of its own; waits for one when all are busy. */
  withSession<T>(wish: SessionWish, use: (session: Session) => Promise<T>): Promise<T>
  /** Resolves when nothing runs or waits any more. */
  idle(): Promise<void>
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
export function createSessionPool({ engine, defaults, maxSessions, maxWaiting }: SessionPoolOptions): SessionPool {
  const free: Session[] = []
  const queue: (() => void)[] = []
  const rested: (() => void)[] = []
  let busy = 0

  async function withSession<T>(wish: SessionWish, use: (session: Session) => Promise<T>): Promise<T> {
    await turn(wish.signal)
    let session = wish.owned
    try {
      session ??= takeFree(wish) ?? (await openSession(engine, defaults, wish.mode, wish.maxExecutionTime))
      return await use(session)
    } finally {
      // Not awaited: the answer need not wait for the resetting, the next user of the session does.
      void giveBack(session, wish.owned !== undefined)
    }
  }

  async function turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (busy < maxSessions) {
      busy += 1
      return
    }
    if (queue.length >= maxWaiting) {
      throw exception(
        codes.tooManySimultaneousQueries,
        `Too many simultaneous queries. ${maxSessions} are running, ${maxWaiting} are waiting`,
      )
    }
    await new Promise<void>((resolve, reject) => {
      const start = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      const leave = (): void => {
        const at = queue.indexOf(start)
        if (at !== -1) queue.splice(at, 1)
        reject(signal.reason as Error)
        settle()
      }
      queue.push(start)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  function takeFree({ mode, maxExecutionTime }: SessionWish): Session | undefined {
    const kind = sessionKind(mode, maxExecutionTime)
    const at = free.findLastIndex((session) => session.kind === kind)
    if (at !== -1) return free.splice(at, 1)[0]
    // The pool's places are shared by all kinds: the longest idle one makes room.
    if (free.length + busy > maxSessions) free.shift()?.close()
    return undefined
  }

  async function giveBack(session: Session | undefined, isOwned: boolean): Promise<void> {
    const isClean = session !== undefined && (await session.restore())
    if (session !== undefined && !isOwned) {
      if (isClean) free.push(session)
      else session.close()
    }
    const next = queue.shift()
    if (next === undefined) busy -= 1
    else next()
    settle()
  }

  function settle(): void {
    if (busy > 0 || queue.length > 0) return
    for (const resolve of rested.splice(0)) resolve()
  }

  return {
    get busy() {
      return busy
    },
    get waiting() {
      return queue.length
    },
    withSession,
    idle: () =>
      new Promise((resolve) => {
        rested.push(resolve)
        settle()
      }),
    async [Symbol.asyncDispose]() {
      for (const session of free.splice(0)) session.close()
    },
  }
}
