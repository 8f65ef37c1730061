import { describe, expect, it } from 'vitest'
import { createLogger } from '../../shared/runtime/logger.ts'
import { PublishWatch } from './publish-watch.ts'

const unheard = Object.assign(new Error('jetstream is not enabled'), { name: 'JetStreamNotEnabled' })

function stage() {
  let nowMs = 1_000_000
  let ensured = 0
  const warnings: string[] = []
  const log = createLogger({ service: 'test', level: 'silent' })
  log.warn = (_: unknown, text?: string) => void warnings.push(text ?? '')
  const ensureStreams = (): Promise<void> => Promise.resolve(void (ensured += 1))
  const watch = new PublishWatch({ clock: () => nowMs, log, ensureStreams })
  const failFor = (ms: number, error: Error): void => {
    for (const endMs = nowMs + ms; nowMs < endMs; nowMs += 1_000) watch.onRetry(error)
  }
  return { watch, warnings, failFor, pass: (ms: number) => (nowMs += ms), ensured: () => ensured }
}

describe('the watch over what is published', () => {
  it('says nothing of an attempt or two that fail', () => {
    const { watch, failFor, warnings } = stage()
    failFor(2_000, new Error('timeout'))
    expect([watch.problems(), warnings]).toEqual([[], []])
  })

  it('says while nothing is acknowledged why, and warns once a minute', () => {
    const { watch, failFor, pass, warnings } = stage()
    failFor(150_000, new Error('timeout'))
    expect(watch.problems()).toEqual(['what is published is not acknowledged: timeout'])
    expect(warnings).toHaveLength(3)
    pass(10_000)
    expect(watch.problems()).toEqual([])
  })

  it('has the streams made that are not there, every 10 s', () => {
    const { watch, failFor, ensured } = stage()
    failFor(30_000, unheard)
    expect(ensured()).toBe(3)
    expect(watch.problems()).toEqual(['what is published is not acknowledged: no stream takes it'])
    failFor(30_000, new Error('timeout'))
    expect(ensured()).toBe(3)
  })
})
