import { pause, type Timers } from '../../shared/runtime/clock.ts'
import type { Point, PointName } from './delivery/ports.ts'

export interface PointSettings {
  /** `name:n`: the process is killed when it passes the point for the n-th time. */
  readonly crashAt: string | undefined
  /** `name:n`: the process stops there (SIGSTOP) until somebody lets it go on. */
  readonly pauseAt: string | undefined
  /** Held between rows and commit rows each time. */
  readonly pauseBeforeCommitMs: number
}

/** Returns what passes named points: nothing, unless a test has asked for an end or a pause at one of them. */
export function createPoint({ crashAt, pauseAt, pauseBeforeCommitMs }: PointSettings, timers: Timers): Point {
  const marks = [mark(crashAt, 'SIGKILL'), mark(pauseAt, 'SIGSTOP')].filter((each) => each !== null)
  if (marks.length === 0 && pauseBeforeCommitMs === 0) return () => undefined
  return (name) => {
    for (const each of marks) each(name)
    return name === 'acknowledged' && pauseBeforeCommitMs > 0 ? pause(timers, pauseBeforeCommitMs) : undefined
  }
}

function mark(at: string | undefined, signal: NodeJS.Signals): ((name: PointName) => void) | null {
  const [, point, count] = /^([a-z-]+):(\d+)$/.exec(at ?? '') ?? []
  if (point === undefined) return null
  let left = Number(count)
  return (name) => {
    if (name !== point) return
    left -= 1
    if (left === 0) process.kill(process.pid, signal)
  }
}
