import { crc32 } from 'node:zlib'
import { protection } from './protection.ts'

/** Bytes of an answer, ready to be sent any number of times. */
export interface Body {
  readonly bytes: Buffer<ArrayBuffer>
  /** Of these bytes and none else, quoted as the header has it. */
  readonly etag: string
}

/** Returns a body whose tag is computed when it is first asked for: of a thousand chains a few are ever read. */
export function lazyBody(bytes: Buffer<ArrayBuffer>): Body {
  let etag: string | undefined
  return {
    bytes,
    get etag() {
      etag ??= `"${crc32(bytes).toString(16)}-${bytes.length.toString(16)}"`
      return etag
    },
  }
}

export const textBody = (text: string): Body => lazyBody(Buffer.from(text))

export interface Freshness {
  /** Of the data, null when nothing was exported yet. */
  readonly ageSeconds: number | null
  /** True when the file there now cannot be read and this is the last good one. */
  readonly isStale: boolean
}

/** Sends a body, or 304 when the client has just these bytes already. */
export function sendBody(ifNoneMatch: string | undefined, body: Body, { ageSeconds, isStale }: Freshness): Response {
  const headers: Record<string, string> = {
    ...protection,
    ETag: body.etag,
    // May be kept, but is asked for again each time: with the tag that costs 200 bytes.
    'Cache-Control': 'no-cache',
  }
  if (ageSeconds !== null) headers['X-Data-Age'] = String(ageSeconds)
  if (isStale) headers['X-Data-Stale'] = 'true'
  if (ifNoneMatch !== undefined && matches(ifNoneMatch, body.etag)) return new Response(null, { status: 304, headers })
  headers['Content-Type'] = 'application/json'
  return new Response(body.bytes, { status: 200, headers })
}

const matches = (header: string, etag: string): boolean =>
  header.split(',').some((tag) => {
    const wanted = tag.trim()
    return wanted === '*' || wanted === etag || wanted === `W/${etag}`
  })
