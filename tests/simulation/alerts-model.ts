import type { Host } from './host.ts'
import { busFailure } from './stream-model.ts'
import type { World } from './world.ts'

/** The streams of alerts and dead letters: what was published, and how often it arrived there. */
export class AlertsModel {
  /** Contents by message id, one for each time it was published and arrived. */
  readonly alerts = new Map<string, string[]>()
  readonly deadLetters = new Map<string, string[]>()
  readonly #world: World
  isUp = true

  constructor(world: World) {
    this.#world = world
  }

  /** Sends until it is acknowledged, as the publisher of shared/bus does; rejects when that takes too long. */
  publish(host: Host, into: 'alerts' | 'deadLetters', id: string, content: string): Promise<void> {
    const { time, random, faults } = this.#world
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const deadlineMs = time.nowMs + 60_000
    const attempt = (): void => {
      if (time.nowMs > deadlineMs) return reject(busFailure('not acknowledged in time'))
      if (faults.strikes('bus request lost', 0.1)) return host.later(2_000, attempt)
      time.after(random.between(0.2, 30), () => {
        // What was still in the buffers of a process that died may or may not have left it.
        if (host.isDead && random.chance(0.7)) return
        if (!this.isUp) return host.later(500, attempt)
        this[into].set(id, [...(this[into].get(id) ?? []), content])
        if (faults.strikes('publish answer lost', 0.05)) host.later(random.between(500, 2_000), attempt)
        else host.later(random.between(0.2, 4), resolve)
      })
    }
    host.run(attempt)
    return promise
  }
}
