import { setImmediate as turn } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import {
  exportChecksum,
  type ExportLayout,
  type ExportName,
  readExportLayout,
} from '../../shared/model/export-layout.ts'
import { isTicker } from '../../shared/model/ticker.ts'
import { type Body, lazyBody, textBody } from './body.ts'

export interface ExportedDocument {
  readonly timestampMs: number
  readonly count: number
  readonly whole: Body
}

export interface TickerDocument extends ExportedDocument {
  /** Rows that cannot be read; the document is served without them. */
  readonly leftOut: number
  /** One row each, as exported. */
  readonly byTicker: ReadonlyMap<string, Body>
}

export interface AlertsDocument extends ExportedDocument {
  readonly timestamp: string
  /** Rows that cannot be read; the document is served without them. */
  readonly leftOut: number
  /** As exported: newest first. */
  readonly alerts: readonly { readonly score: number; readonly text: string }[]
  /** A document of its own for each ticker that has any. */
  readonly byTicker: ReadonlyMap<string, Body>
}

/** Small enough that a request waits a millisecond behind it. */
const sliceBytes = 4 << 20

/** Checks a document's bytes and returns its parts. Throws `decode` when they are torn, altered or something else. */
async function openDocument(name: ExportName, bytes: Buffer<ArrayBuffer>): Promise<ExportLayout> {
  const layout = readExportLayout(name, bytes)
  let checksum = 0
  for (let start = 0; start < layout.covered.length; start += sliceBytes) {
    checksum = exportChecksum(layout.covered.subarray(start, start + sliceBytes), checksum)
    await turn()
  }
  if (checksum !== layout.checksum) throw new StrikeflowError('decode', `Expected ${name} to agree with its checksum`)
  return layout
}

const described = (layout: ExportLayout, bytes: Buffer<ArrayBuffer>): ExportedDocument => ({
  timestampMs: Date.parse(layout.timestamp),
  count: layout.count,
  whole: lazyBody(bytes),
})

export async function openScans(bytes: Buffer<ArrayBuffer>): Promise<ExportedDocument> {
  return described(await openDocument('scans', bytes), bytes)
}

/** Rows are found by their first field and never parsed: an answer is a view into the file's bytes. */
export async function openTickers(name: 'chains' | 'features', bytes: Buffer<ArrayBuffer>): Promise<TickerDocument> {
  const layout = await openDocument(name, bytes)
  const byTicker = new Map<string, Body>()
  let leftOut = 0
  for (const row of layout.rows) {
    const ticker = tickerOf(row)
    if (ticker === null) leftOut += 1
    else byTicker.set(ticker, lazyBody(row as Buffer<ArrayBuffer>))
  }
  return { ...described(layout, bytes), byTicker, leftOut }
}

const tickerPattern = /^\{"ticker":"([^"\\]*)"/

/** Null for a row nobody can ask for: one odd name must not cost the others their answers. */
function tickerOf(row: Buffer): string | null {
  const [, ticker] = tickerPattern.exec(row.subarray(0, 120).toString()) ?? []
  return ticker !== undefined && isTicker(ticker) ? ticker.toUpperCase() : null
}

export async function openAlerts(bytes: Buffer<ArrayBuffer>): Promise<AlertsDocument> {
  const layout = await openDocument('alerts', bytes)
  const alerts = layout.rows.flatMap((row) => readAlert(row) ?? [])
  const leftOut = layout.rows.length - alerts.length
  const grouped = Map.groupBy(alerts, ({ ticker }) => ticker)
  const byTicker = new Map(
    grouped.entries().map(([ticker, found]) => [ticker, alertsOfTicker(layout.timestamp, ticker, found)] as const),
  )
  return { ...described(layout, bytes), timestamp: layout.timestamp, alerts, byTicker, leftOut }
}

/** Null for a row that is not an alert of a name somebody can ask for. */
function readAlert(row: Buffer): { readonly ticker: string; readonly score: number; readonly text: string } | null {
  try {
    const text = row.toString()
    const { ticker, score } = JSON.parse(text) as { readonly ticker?: unknown; readonly score?: unknown }
    if (typeof ticker !== 'string' || !isTicker(ticker) || typeof score !== 'number') return null
    return { ticker: ticker.toUpperCase(), score, text }
  } catch {
    return null
  }
}

interface AlertText {
  readonly text: string
}

/** Returns a document of some alerts, in the shape of the exported one. */
export function alertsBody(timestamp: string | null, found: readonly AlertText[]): Body {
  const head = `{"export_timestamp":${JSON.stringify(timestamp)},"alerts_count":${found.length},"alerts":[`
  return textBody(`${head}${found.map(({ text }) => text).join(',')}]}`)
}

export function alertsOfTicker(timestamp: string | null, ticker: string, found: readonly AlertText[]): Body {
  const head = `{"export_timestamp":${JSON.stringify(timestamp)},"ticker":${JSON.stringify(ticker)},`
  return textBody(`${head}"alerts_count":${found.length},"alerts":[${found.map(({ text }) => text).join(',')}]}`)
}
