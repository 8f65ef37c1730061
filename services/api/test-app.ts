import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeExport, type ExportName } from '../../shared/model/export-layout.ts'
import { createLogger } from '../../shared/runtime/logger.ts'
import { createRegistry } from '../../shared/runtime/metrics.ts'
import type { Access } from './access.ts'
import { createApp } from './app.ts'
import { openExportFolder } from './export-folder.ts'
import { createMetrics } from './metrics.ts'

export const timestamp = '2026-07-16T14:00:00.000Z'
export const log = createLogger({ service: 'api', level: 'silent' })

/** The bytes of a document with these rows. */
export async function exportBytes(name: ExportName, rows: readonly object[], at = timestamp): Promise<Buffer> {
  const texts = rows.map((row) => JSON.stringify(row))
  return Buffer.concat(await Array.fromAsync(encodeExport({ name, timestamp: at, count: rows.length, rows: texts })))
}

const clock = () => Date.parse(timestamp) + 7000

const everybody: Access = () => null

/** An app over a directory of its own, 7 s after the documents' time. */
export async function startTestApp(access = everybody) {
  const directory = await mkdtemp(join(tmpdir(), 'strikeflow-api-'))
  const registry = createRegistry('api')
  const metrics = createMetrics(registry)
  const stop = new AbortController()
  const exports = openExportFolder({ directory, reloadMs: 20, log, metrics })
  return {
    directory,
    exports,
    stop,
    app: createApp({ exports, clock, registry, metrics, log, signal: stop.signal, access }),
    async put(name: ExportName, rows: readonly object[], at = timestamp): Promise<Buffer> {
      const bytes = await exportBytes(name, rows, at)
      await writeFile(join(directory, `${name}.json`), bytes)
      await exports.poll()
      return bytes
    },
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}
export type TestApp = Awaited<ReturnType<typeof startTestApp>>
