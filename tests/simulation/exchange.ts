import type { FaultKind } from './faults.ts'
import type { Host } from './host.ts'
import type { World } from './world.ts'

export interface ExchangeOptions {
  readonly isUp: () => boolean
  readonly failure: (message: string) => Error
  readonly lost: FaultKind
  readonly answerLost: FaultKind
  readonly late?: FaultKind
  readonly slow?: FaultKind
  readonly probability: number
}

/** One request of a process to a server and its answer; either may be lost, and the server may get to it after the caller gave up. */
export function exchange<T>(world: World, host: Host, serve: () => T, options: ExchangeOptions): Promise<T> {
  const { time, random, faults } = world
  const { probability, failure } = options
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  const fail = (delayMs: number, message: string): void => host.later(delayMs, () => reject(failure(message)))
  const latency = (): number => random.between(0.2, 4)
  host.run(() => {
    if (faults.strikes(options.lost, probability)) return fail(random.between(5, 600), 'no answer')
    const isLate = options.late !== undefined && faults.strikes(options.late, probability)
    if (isLate) fail(random.between(5, 300), 'no answer in time')
    const isSlow = options.slow !== undefined && faults.strikes(options.slow, probability)
    time.after(isLate ? random.between(50, 2_500) : isSlow ? random.between(50, 800) : latency(), () => {
      // What was still in the buffers of a process that died may or may not have left it.
      if (host.isDead && random.chance(0.5)) return
      if (!options.isUp()) return fail(latency(), 'is away')
      let value: T
      try {
        value = serve()
      } catch (error) {
        host.later(latency(), () => reject(error))
        return
      }
      if (faults.strikes(options.answerLost, probability)) fail(random.between(5, 600), 'its answer was lost')
      else host.later(latency(), () => resolve(value))
    })
  })
  return promise
}
