import { basename } from 'node:path'
import type { Clock } from '../../../../shared/runtime/clock.ts'
import { cboeZone, normalizeCboe } from '../cboe/normalize.ts'
import { parseJsonDocument } from '../json-document.ts'
import { normalizeOptionsDesk, underlyingOfYahooSymbol } from '../options-desk/normalize.ts'
import { createPace } from '../pace.ts'
import { plausibleTime } from '../plausible-time.ts'
import {
  type FetchContext,
  type FetchOutcome,
  type OptionChainProvider,
  type Pass,
  type PassItem,
  refused,
} from '../provider.ts'
import type { DriftObserver } from '../raw-chain.ts'
import { catalogRecording, kindOfPath, type RecordedFile, type RecordedPass } from './catalog.ts'
import { asCboeEnvelope, type Line, readLines } from './documents.ts'
import { maxDocumentBytes, maxLinesBytes, unpackFile } from './unpack.ts'

export interface RecordingOptions {
  /** A file or a directory of recordings. */
  readonly path: string
  /** Recorded seconds per second of the wall; 0 is as fast as possible. */
  readonly speed: number
  /** The wall's, for the pace and for what is dated after it; else what is published depends on the recording alone. */
  readonly clock: Clock
  readonly onDrift: DriftObserver
  /** Told of what is neither file nor directory. */
  readonly onSkipped?: (path: string, why: string) => void
}

/**
 * Replays recorded chains in the order they were recorded, on the recorded clock, and ends. Reads Cboe intraday files
 * (`<SYM>/<stamp>.json.gz`) and NDJSON of options-desk; repeats, leftovers and broken files come as they were.
 */
export function createRecording(options: RecordingOptions): OptionChainProvider {
  const { path, speed, clock, onDrift, onSkipped = () => {} } = options
  const pace = createPace(speed, clock)
  let recordedNowMs = 0

  /** Moves the recorded clock; it never runs backwards, though a leftover is older than its file. */
  async function arriveAt(atMs: number, signal: AbortSignal): Promise<void> {
    await pace.until(atMs, signal)
    recordedNowMs = Math.max(recordedNowMs, atMs)
  }

  async function* passes(signal: AbortSignal): AsyncIterable<Pass> {
    const recorded = await catalogRecording(path, { nowMs: clock(), onSkipped })
    for (const [index, pass] of recorded.entries()) {
      await arriveAt(pass.recordedAtMs, signal)
      if (signal.aborted) return
      const position = { index, total: recorded.length }
      yield { startedAtMs: pass.recordedAtMs, position, ...(await itemsOf(pass, { arriveAt, clock, onDrift })) }
    }
  }

  return {
    name: 'recording',
    exchangeZone: cboeZone,
    // One at a time: the order of publication is the order of the recording.
    capabilities: { live: false, maxConcurrency: 1, givesGreeks: true },
    now: () => recordedNowMs,
    passes,
    async check() {
      await kindOfPath(path)
    },
  }
}

interface ReadingContext {
  readonly arriveAt: (atMs: number, signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly onDrift: DriftObserver
}

async function itemsOf({ files }: RecordedPass, context: ReadingContext): Promise<Pick<Pass, 'provider' | 'items'>> {
  const items: PassItem[] = []
  for (const file of files) items.push(...(await itemsOfFile(file, context)))
  const kinds = new Set(files.map(({ kind }) => kind))
  const [kind] = kinds
  const isMixed = kinds.size !== 1 || kind === undefined || kind === 'unknown'
  return { provider: isMixed ? 'recording' : kind === 'lines' ? 'options_desk' : 'cboe', items }
}

async function itemsOfFile(file: RecordedFile, context: ReadingContext): Promise<readonly PassItem[]> {
  if (file.kind === 'lines') return lineItems(file, context)
  return [file.kind === 'chain' ? chainItem(file, context) : unknownItem(file)]
}

type RecordedChain = Extract<RecordedFile, { kind: 'chain' }>

function chainItem(file: RecordedChain, { clock, onDrift }: ReadingContext): PassItem {
  const { folderTicker: underlying, recordedAtMs } = file
  return {
    underlying: file.ticker,
    source: file.name,
    async fetch({ scanId }) {
      const parsed = await parseFile(file.path)
      if ('kind' in parsed) return parsed
      const document = asCboeEnvelope(parsed.document)
      const receivedAtMs = recordedAtMs ?? 0
      return normalizeCboe(document, { underlying, scanId, receivedAtMs, nowMs: clock(), onDrift })
    },
  }
}

async function parseFile(path: string): Promise<ReturnType<typeof parseJsonDocument>> {
  const unpacked = await unpackFile(path, maxDocumentBytes)
  if (unpacked.kind === 'refused') return unpacked
  if (unpacked.truncated) return refused('truncated', 'gzip ends early')
  return parseJsonDocument(unpacked.bytes.toString())
}

/** Asks again why a file could not be catalogued, so that the refusal says so. */
function unknownItem({ path, name }: RecordedFile): PassItem {
  return {
    underlying: basename(path),
    source: name,
    async fetch() {
      if (!/\.(nd)?json(\.gz)?$/.test(path)) return refused('not_json', 'not a recording')
      const parsed = await parseFile(path)
      return 'kind' in parsed ? parsed : refused('schema', 'no chain with a time in it')
    },
  }
}

async function lineItems({ path, name }: RecordedFile, context: ReadingContext): Promise<readonly PassItem[]> {
  const unpacked = await unpackFile(path, maxLinesBytes)
  if (unpacked.kind === 'refused') {
    return [{ underlying: basename(path), source: name, fetch: () => Promise.resolve(unpacked) }]
  }
  const { bytes, truncated } = unpacked
  const lines = readLines(bytes)
  const cutOff = truncated ? lines.at(-1) : undefined
  return inRecordedOrder(lines, context.clock()).map((line) => ({
    underlying: line.symbol === null ? `${basename(path)}:${line.number}` : underlyingOfYahooSymbol(line.symbol),
    source: `${name}: line ${line.number}`,
    fetch: (fetching) =>
      line === cutOff
        ? Promise.resolve(refused('truncated', 'gzip ends early'))
        : fetchLine(bytes, line, context, fetching),
  }))
}

async function fetchLine(
  bytes: Buffer,
  { start, end, recordedAtMs }: Line,
  { arriveAt, clock, onDrift }: ReadingContext,
  { scanId, signal }: FetchContext,
): Promise<FetchOutcome> {
  const nowMs = clock()
  const atMs = plausibleTime(recordedAtMs, nowMs)
  if (atMs !== null) await arriveAt(atMs, signal)
  if (end - start > maxDocumentBytes) return refused('too_large', `a line of ${end - start} bytes`)
  const parsed = parseJsonDocument(bytes.toString('utf8', start, end))
  return 'kind' in parsed ? parsed : normalizeOptionsDesk(parsed.document, { scanId, nowMs, onDrift })
}

/** A line that does not say when, or what cannot be, keeps its place behind the one before it. */
function inRecordedOrder(lines: readonly Line[], nowMs: number): readonly Line[] {
  let lastMs = -Infinity
  const timed = lines.map((line) => ({ line, atMs: (lastMs = plausibleTime(line.recordedAtMs, nowMs) ?? lastMs) }))
  // Subtraction would make NaN of two lines before any time.
  return timed.sort((a, b) => (a.atMs === b.atMs ? 0 : a.atMs - b.atMs)).map(({ line }) => line)
}
