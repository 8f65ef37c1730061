import { sendHeartbeats } from './heartbeat.ts'
import type { Logger } from './logger.ts'
import { configExitCode, isConfigError } from './settings-or-exit.ts'

export interface Service {
  readonly name: string
  /** Runs until the signal aborts or the work is done; resolves after it has come to rest. */
  run(signal: AbortSignal): Promise<void>
}

export interface Composition {
  /** Registers a resource to close on the way out, newest first, and returns it. */
  readonly opened: <T extends AsyncDisposable>(resource: T) => T
  /** Aborts at SIGTERM or SIGINT. */
  readonly signal: AbortSignal
}

/** Under Kubernetes' 30 s: a stop that takes longer is broken off with exit code 1. */
const stopDeadlineMs = 25_000

/**
 * Composes a service, runs it and closes what it opened, in reverse order. The only place that handles signals.
 * Returns the exit code: 0 after a clean end or a stop before the start was done, 2 for settings that cannot work, 1 after any other error or a second signal.
 */
export async function runService(
  log: Logger,
  compose: (composition: Composition) => Promise<Service>,
): Promise<number> {
  await using stack = new AsyncDisposableStack()
  const stop = new AbortController()
  const releaseSignals = onSignals(stop, log)
  stack.defer(releaseSignals)
  stack.defer(sendHeartbeats())
  let hasStarted = false
  try {
    const service = await compose({ opened: (resource) => stack.use(resource), signal: stop.signal })
    hasStarted = true
    log.info('service started')
    await service.run(stop.signal)
    log.info('service stopped')
    return 0
  } catch (err) {
    if (stop.signal.aborted && (err as Error).name === 'AbortError') return 0
    if (isConfigError(err)) {
      log.fatal({ problem: err.message }, 'settings cannot work')
      return configExitCode
    }
    // Nothing was under way yet: whatever could not be opened does not matter any more.
    if (stop.signal.aborted && !hasStarted) {
      log.info({ err }, 'stopped before it had started')
      return 0
    }
    log.fatal({ err }, 'service failed')
    return 1
  }
}

const ignore = (): void => {}

function onSignals(stop: AbortController, log: Logger): () => void {
  let seen = 0
  const handle = (name: NodeJS.Signals): void => {
    seen += 1
    if (seen > 1) process.exit(1)
    log.info({ signal: name }, 'stopping')
    stop.abort()
    setTimeout(() => {
      log.fatal({ deadlineMs: stopDeadlineMs }, 'stop took too long')
      process.exit(1)
    }, stopDeadlineMs).unref()
  }
  const onOrphaned = (): void => handle('SIGTERM')
  process.on('SIGTERM', handle)
  process.on('SIGINT', handle)
  // A closed terminal is a stop like any other, and so is the end of whoever read our output.
  process.on('SIGHUP', handle)
  process.stdout.on('error', ignore)
  // It may be a file on a full disk.
  process.stderr.on('error', ignore)
  // Under a supervisor there is a channel to it, and no reason to outlive it.
  process.on('disconnect', onOrphaned)
  process.channel?.unref()
  return () => {
    process.off('SIGTERM', handle)
    process.off('SIGINT', handle)
    process.off('SIGHUP', handle)
    process.stdout.off('error', ignore)
    process.stderr.off('error', ignore)
    process.off('disconnect', onOrphaned)
  }
}
