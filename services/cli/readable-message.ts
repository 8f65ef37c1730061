import { type Headers, headerNames } from '../../shared/bus/messages.ts'
import { printable } from '../../shared/model/printable.ts'
import { decodeSnapshot } from '../../shared/model/snapshot-codec.ts'

interface Message {
  readonly subject: string
  readonly streamSeq: number
  readonly headers: Headers
  readonly payload: Uint8Array
}

/** One line for a person: JSON as it is, a snapshot by what it holds. Never throws. */
export function readable({ subject, streamSeq, headers, payload }: Message): string {
  return printable(`${streamSeq}  ${subject}  ${bodyText(subject, headers, payload)}`)
}

function bodyText(subject: string, headers: Headers, payload: Uint8Array): string {
  try {
    if (!subject.startsWith('chains.raw.')) return new TextDecoder('utf-8', { fatal: true }).decode(payload)
    const encoding = headers.get(headerNames.contentEncoding) ?? null
    const { meta, columns } = decodeSnapshot(payload, encoding, headers.get(headerNames.schema) ?? null)
    const { rejects, ...facts } = meta
    return JSON.stringify({
      ...facts,
      marketTime: new Date(meta.marketTimeMs).toISOString(),
      contracts: columns.length,
      rejects: rejects.length,
      bytes: payload.byteLength,
    })
  } catch (error) {
    return `(${payload.byteLength} bytes that cannot be read: ${(error as Error).message})`
  }
}
