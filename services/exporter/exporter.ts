import { mkdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { ExportName } from '../../shared/model/export-layout.ts'
import type { Service } from '../../shared/runtime/run-service.ts'
import { readStoreMark, type StoreMark } from '../../shared/store/queries/store-mark.ts'
import { sweepOrphans } from '../../shared/runtime/atomic-file.ts'
import { createDocumentWriter, type DocumentWriterDeps } from './document-writer.ts'
import { documents, type DocumentSource } from './documents.ts'
import { type DocumentState, isDue, noticed, unwritten } from './schedule.ts'

export interface Exporter extends Service {
  /** Writes every document that is due and returns their names. Throws when the store is away; the files stay as they were. */
  step(): Promise<readonly ExportName[]>
  /** Why the exporter cannot do its work; empty when it can. */
  reasonsNotReady(): readonly string[]
  status(): Readonly<Record<string, number | string | null>>
}

/**
 * Turns committed rows into JSON documents beside each other in one directory.
 *
 * A reader sees the whole old or the whole new document. While the store is away, or a write fails, the last documents
 * stay as they are and it is tried again; nothing here ever removes one.
 */
export function createExporter(deps: DocumentWriterDeps): Exporter {
  const { query, settings, elapsed, log, metrics } = deps
  const write = createDocumentWriter(deps)
  const states = new Map<ExportName, DocumentState>(documents.map(({ name }) => [name, unwritten]))
  let lastMark: StoreMark | null = null
  let isStoreAway = false
  let lastExportAt: string | null = null

  async function step(): Promise<readonly ExportName[]> {
    const mark = await readStoreMark(query)
    const isQuiet = mark.commits === lastMark?.commits
    lastMark = mark
    const written: ExportName[] = []
    for (const source of documents) if (await stepDocument(source, mark, isQuiet)) written.push(source.name)
    return written
  }

  async function stepDocument(source: DocumentSource, mark: StoreMark, isQuiet: boolean): Promise<boolean> {
    const look = { nowMs: elapsed(), key: source.changeKey(mark), isQuiet }
    const state = noticed(states.get(source.name) ?? unwritten, look)
    states.set(source.name, state)
    const timing = { intervalMs: settings.intervalSeconds * 1000, settleMs: source.settleMs }
    if (!isDue(state, look, timing)) return false
    const timestamp = await write(source)
    lastExportAt = timestamp ?? lastExportAt
    const next =
      timestamp === null
        ? { ...state, retryAtMs: elapsed() + settings.retryMs }
        : { ...unwritten, writtenKey: look.key, writtenAtMs: look.nowMs }
    states.set(source.name, next)
    return timestamp !== null
  }

  return {
    name: 'exporter',
    step,
    async run(signal) {
      let isPrepared = false
      while (!signal.aborted) {
        isPrepared ||= await prepare(deps)
        const waitMs = isPrepared ? await step().then(onStoreThere, onStoreAway) : settings.retryMs
        await delay(waitMs, undefined, { signal }).catch(() => {})
      }
    },
    reasonsNotReady: () => [
      ...(isStoreAway ? ['the store is away'] : []),
      ...[...states].filter(([, state]) => state.writtenKey === null).map(([name]) => `${name} not exported yet`),
    ],
    status: () => ({ lastExportAt, store: isStoreAway ? 'away' : 'ok' }),
  }

  function onStoreThere(): number {
    if (isStoreAway) log.info('store is back')
    isStoreAway = false
    return settings.pollMs
  }

  function onStoreAway(err: unknown): number {
    metrics.storeErrors.inc()
    if (!isStoreAway) log.warn({ err }, 'store is away, the old documents stay')
    isStoreAway = true
    return settings.retryMs
  }
}

/** Makes the directory ready; false when the disk does not take it, as a full one. */
async function prepare({ settings, metrics, log }: DocumentWriterDeps): Promise<boolean> {
  try {
    await mkdir(settings.directory, { recursive: true })
    metrics.orphansSwept.inc(await sweepOrphans(settings.directory))
    return true
  } catch (err) {
    log.warn({ err }, 'cannot prepare the directory yet')
    return false
  }
}
