/**
 * Embedded ClickHouse: ClickHouse's HTTP interface over chdb, for development, tests and the one-command stack.
 * Consumes HTTP on one port, owns one data directory, says on stdout when it is ready.
 */
import { setInterval } from 'node:timers'
import { aborted } from '../../../shared/runtime/aborted.ts'
import { createLogger, type Logger } from '../../../shared/runtime/logger.ts'
import { printReady } from '../../../shared/runtime/ready-line.ts'
import { runService } from '../../../shared/runtime/run-service.ts'
import { readConfig } from './config.ts'
import { serveControl } from './control-channel.ts'
import { stepBack } from './priority.ts'

// The engine's calls occupy threads of libuv's pool; with its four, four slow queries would stop every file and zlib
// operation of this process. Read by libuv at first use, so before the engine is imported.
process.env['UV_THREADPOOL_SIZE'] = '64'
// Times without a zone are UTC inside, whatever the machine's zone is.
process.env['TZ'] = 'UTC'
const boot = createLogger({ service: 'clickhouse' })
try {
  // Before the engine's threads are there.
  stepBack()
} catch (err) {
  boot.warn({ err }, 'cannot lower the priority: alerts wait while rows are written')
}
const { startClickHouse } = await import('./clickhouse.ts')

/** A stop's 10 s for running queries, and some. */
const crashLimitMs = 15_000
const parentPid = process.ppid
try {
  const config = readConfig(process.argv.slice(2), process.env)
  const log = createLogger({ service: 'clickhouse', level: config.logLevel })
  process.exitCode = await runService(log, async ({ opened, signal }) => {
    const clickhouse = opened(await startClickHouse(config, log))
    closeOnCrash(clickhouse, log)
    if (config.exitWithParent) exitWithParent()
    serveControl(process, clickhouse.engine)
    printReady({
      service: 'clickhouse',
      url: clickhouse.url,
      engineVersion: clickhouse.engineVersion,
      secretsDir: clickhouse.secretsDir,
      pid: process.pid,
    })
    return { name: 'clickhouse', run: () => aborted(signal) }
  })
} catch (err) {
  boot.fatal({ err }, 'cannot start')
  process.exitCode = 1
}

/** An exception that ends the process while the engine is open aborts it in the engine: close first, then exit. */
function closeOnCrash(clickhouse: AsyncDisposable, log: Logger): void {
  const crash = async (err: unknown): Promise<void> => {
    log.fatal({ err }, 'unexpected exception, closing')
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), crashLimitMs).unref()
    try {
      await clickhouse[Symbol.asyncDispose]()
    } finally {
      process.exit(1)
    }
  }
  process.once('uncaughtException', (err) => void crash(err))
  process.once('unhandledRejection', (err) => void crash(err))
}

function exitWithParent(): void {
  setInterval(() => {
    if (process.ppid !== parentPid) process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}
