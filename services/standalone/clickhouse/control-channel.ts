import { z } from 'zod'
import type { Engine } from './engine.ts'

/** What the parent process asks: a statement that changes the state of the server, such as SYSTEM STOP MERGES. */
const request = z.object({ id: z.number(), control: z.string() })

export interface ControlReply {
  readonly id: number
  /** Null when the statement ran. */
  readonly error: string | null
}

/**
 * Runs statements that come over the process's own channel, which only the process that started this one can use. They are the
 * way to SYSTEM, which nobody can use through the port.
 */
export function serveControl(channel: NodeJS.Process, engine: Pick<Engine, 'control'>): void {
  const onMessage = (message: unknown): void => {
    const parsed = request.safeParse(message)
    if (!parsed.success) return
    const { id, control } = parsed.data
    const reply = (error: string | null): void => {
      channel.send?.({ id, error } satisfies ControlReply)
    }
    engine.control(control).then(
      () => reply(null),
      (error: unknown) => reply((error as Error).message),
    )
  }
  channel.on('message', onMessage)
  // Listening alone must not keep the process alive.
  channel.channel?.unref()
}
