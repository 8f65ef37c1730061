import type { Engine } from './engine.ts'
import { codes, exception } from './exceptions.ts'
import { openSession, type Session, type SessionDefaults, sessionKind, type SessionWish } from './session.ts'

interface NamedSessionWish extends SessionWish {
  readonly user: string
  readonly id: string
  readonly timeoutSeconds: number
  /** Refuse to open a new one (`session_check=1`). */
  readonly mustExist: boolean
}

export interface NamedSessions extends Disposable {
  /** Runs `use` with the client's own session, which keeps settings and temporary tables until it times out. */
  with<T>(wish: NamedSessionWish, use: (session: Session) => Promise<T>): Promise<T>
}

interface Entry {
  readonly session: Promise<Session>
  isBusy: boolean
  timer: NodeJS.Timeout | undefined
}

const maxNamedSessions = 64

export function createNamedSessions(engine: Engine, defaults: SessionDefaults): NamedSessions {
  const entries = new Map<string, Entry>()

  function entryFor(key: string, wish: NamedSessionWish): Entry {
    const known = entries.get(key)
    if (known?.isBusy) throw exception(codes.sessionIsLocked, `Session ${wish.id} is locked by a concurrent client`)
    if (known !== undefined) return known
    if (wish.mustExist) throw exception(codes.sessionNotFound, `Session ${wish.id} not found`)
    if (entries.size >= maxNamedSessions) {
      throw exception(codes.tooManySimultaneousQueries, `Too many named sessions: ${maxNamedSessions} are open`)
    }
    const session = openSession(engine, defaults, wish)
    const entry: Entry = { session, isBusy: false, timer: undefined }
    entries.set(key, entry)
    return entry
  }

  function drop(key: string, entry: Entry): void {
    clearTimeout(entry.timer)
    entries.delete(key)
    entry.session.then(
      (session) => session.close(),
      () => undefined,
    )
  }

  return {
    async with(wish, use) {
      const key = JSON.stringify([wish.user, sessionKind(wish), wish.id])
      const entry = entryFor(key, wish)
      clearTimeout(entry.timer)
      entry.isBusy = true
      try {
        return await use(await entry.session)
      } catch (error) {
        if (
          await entry.session.then(
            () => false,
            () => true,
          )
        )
          drop(key, entry)
        throw error
      } finally {
        entry.isBusy = false
        entry.timer = setTimeout(() => drop(key, entry), wish.timeoutSeconds * 1000).unref()
      }
    },
    [Symbol.dispose]() {
      for (const [key, entry] of entries) drop(key, entry)
    },
  }
}
