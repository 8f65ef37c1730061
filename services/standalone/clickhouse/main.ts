/**
 * Embedded ClickHouse: ClickHouse's HTTP interface over chdb, for development, tests and the one-command stack.
 * Consumes HTTP on one port, owns one data directory, says on stdout when it is ready.
 */
import { setInterval } from 'node:timers'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { printReady } from '../../../shared/runtime/ready-line.ts'
import { runService } from '../../../shared/runtime/run-service.ts'
import { readConfig } from './config.ts'

// The engine's calls occupy threads of libuv's pool; with its four, four slow queries would stop every file and zlib
// operation of this process. Read by libuv at first use, so before the engine is imported.
process.env['UV_THREADPOOL_SIZE'] = '128'
// Times without a zone are UTC inside, whatever the machine's zone is.
process.env['TZ'] = 'UTC'
const { startClickHouse } = await import('./clickhouse.ts')

const boot = createLogger({ service: 'clickhouse' })
try {
  const config = readConfig(process.argv.slice(2), process.env)
  const log = createLogger({ service: 'clickhouse', level: config.logLevel })
  process.exitCode = await runService(log, async ({ opened, signal }) => {
    const clickhouse = opened(await startClickHouse(config, log))
    if (config.exitWithParent) exitWithParent()
    printReady({
      service: 'clickhouse',
      url: clickhouse.url,
      engineVersion: clickhouse.engineVersion,
      pid: process.pid,
    })
    return { name: 'clickhouse', run: () => aborted(signal) }
  })
} catch (err) {
  boot.fatal({ err }, 'cannot start')
  process.exitCode = 1
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function exitWithParent(): void {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM')
  }, 500).unref()
}
