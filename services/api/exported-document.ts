import { setImmediate as turn } from 'node:timers/promises'
import { StrikeflowError } from '../../shared/model/errors.ts'
import {
  exportChecksum,
  type ExportLayout,
  type ExportName,
  readExportLayout,
} from '../../shared/model/export-layout.ts'
import { type Body, lazyBody, textBody } from './body.ts'

export interface ExportedDocument {
  readonly timestampMs: number
  readonly count: number
  readonly whole: Body
}

export interface TickerDocument extends ExportedDocument {
  /** One row each, as exported. */
  readonly byTicker: ReadonlyMap<string, Body>
}

export interface AlertsDocument extends ExportedDocument {
  readonly timestamp: string
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
  const byTicker = new Map(layout.rows.map((row) => [tickerOf(row), lazyBody(row as Buffer<ArrayBuffer>)]))
  return { ...described(layout, bytes), byTicker }
}

const tickerPattern = /^\{"ticker":"((?:[^"\\]|\\.)*)"/

function tickerOf(row: Buffer): string {
  const [, ticker] = tickerPattern.exec(row.subarray(0, 120).toString()) ?? []
  if (ticker === undefined) throw new StrikeflowError('decode', 'Expected a row to begin with its ticker')
  return ticker.toUpperCase()
}

export async function openAlerts(bytes: Buffer<ArrayBuffer>): Promise<AlertsDocument> {
  const layout = await openDocument('alerts', bytes)
  const alerts = layout.rows.map((row) => {
    const text = row.toString()
    const { ticker, score } = JSON.parse(text) as { ticker: string; score: number }
    return { ticker: ticker.toUpperCase(), score, text }
  })
  const grouped = Map.groupBy(alerts, ({ ticker }) => ticker)
  const byTicker = new Map(
    grouped.entries().map(([ticker, found]) => [ticker, alertsOfTicker(layout.timestamp, ticker, found)] as const),
  )
  return { ...described(layout, bytes), timestamp: layout.timestamp, alerts, byTicker }
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
