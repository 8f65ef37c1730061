import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../../../shared/runtime/clock.ts'
import { type FetchRefusal, refused } from '../provider.ts'
import { cboePathSymbol } from './symbols.ts'

export interface CboeClientOptions {
  /** Without a trailing slash. @default https://cdn.cboe.com */
  readonly baseUrl: string
  /** From the first byte sent to the last one read, redirects included. @default 15000 */
  readonly timeoutMs: number
  /** Unpacked; SPY is 5.3 MB, SPX about twice that. @default 64 MiB */
  readonly maxBodyBytes: number
  /** Longest pause taken on the word of a `Retry-After`; a longer one is cut to this and the fetch is refused. @default 30000 */
  readonly maxRetryAfterMs: number
  readonly userAgent: string
  /** Told once of each hold that a 429 begins, for whichever underlying it came. */
  readonly onHeld?: (hold: ProviderHold) => void
  readonly clock: Clock
}

export interface ProviderHold {
  /** Nothing is asked for so long. */
  readonly heldMs: number
  /** What the `Retry-After` said; null without one. */
  readonly retryAfterMs: number | null
}

interface CboeBody {
  readonly kind: 'body'
  readonly text: string
  readonly receivedAtMs: number
}

export interface CboeClient {
  /** Fetches one chain. Rejects only when the signal aborts. */
  fetchChain(underlying: string, signal: AbortSignal): Promise<CboeBody | FetchRefusal>
}

/** A provider that says 429 without saying for how long. */
const defaultPauseMs = 5_000

export function createCboeClient(options: CboeClientOptions): CboeClient {
  const { baseUrl, maxRetryAfterMs, clock } = options
  let pausedUntilMs = 0

  /** One provider, one rate limit: a 429 for one underlying holds the others back as well. */
  async function untilAllowed(signal: AbortSignal): Promise<void> {
    while (pausedUntilMs > clock()) await sleep(pausedUntilMs - clock(), undefined, { signal })
  }

  async function ask(
    underlying: string,
    signal: AbortSignal,
  ): Promise<CboeBody | FetchRefusal | { retry: FetchRefusal }> {
    await untilAllowed(signal)
    const url = `${baseUrl}/api/global/delayed_quotes/options/${cboePathSymbol(underlying)}.json`
    const deadline = AbortSignal.timeout(options.timeoutMs)
    try {
      const response = await fetch(url, {
        signal: AbortSignal.any([signal, deadline]),
        headers: { accept: 'application/json', 'user-agent': options.userAgent },
      })
      if (response.status !== 200) await response.body?.cancel()
      if (response.status === 429) return throttled(response.headers.get('retry-after'))
      if (response.status !== 200) return refusalOfStatus(response.status)
      const text = await readText(response, options.maxBodyBytes)
      return text === null
        ? refused('too_large', `body over ${options.maxBodyBytes} bytes`)
        : { kind: 'body', text, receivedAtMs: clock() }
    } catch (error) {
      signal.throwIfAborted()
      return deadline.aborted ? refused('timeout', `no answer within ${options.timeoutMs} ms`) : refusalOfError(error)
    }
  }

  function throttled(retryAfter: string | null): FetchRefusal | { retry: FetchRefusal } {
    const nowMs = clock()
    const saidMs = retryAfterMs(retryAfter, nowMs)
    const askedMs = saidMs ?? defaultPauseMs
    const heldMs = Math.min(askedMs, maxRetryAfterMs)
    // Requests that were under way together are refused together.
    if (heldMs > 0 && pausedUntilMs <= nowMs) options.onHeld?.({ heldMs, retryAfterMs: saidMs })
    pausedUntilMs = nowMs + heldMs
    const refusal = refused('throttled', `status 429, retry after ${askedMs} ms`)
    return askedMs <= maxRetryAfterMs ? { retry: refusal } : refusal
  }

  return {
    async fetchChain(underlying, signal) {
      const first = await ask(underlying, signal)
      if (!('retry' in first)) return first
      const second = await ask(underlying, signal)
      return 'retry' in second ? second.retry : second
    },
  }
}

/** Seconds or an HTTP date, as milliseconds from now; null for neither. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const instantMs = Date.parse(header)
  return Number.isNaN(instantMs) ? null : Math.max(0, instantMs - nowMs)
}

function refusalOfStatus(status: number): FetchRefusal {
  const detail = `status ${status}`
  if (status === 401 || status === 403) return refused('unauthorized', detail)
  return refused(status === 404 ? 'not_found' : 'unreachable', detail)
}

/** What undici throws while connecting is `fetch failed`; while reading the body, `terminated`: then it was cut off. */
function refusalOfError(error: unknown): FetchRefusal {
  const { message, cause } = error as Error
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? 'no code'
  const isCutOff = message === 'terminated' || code === 'Z_BUF_ERROR' || code.startsWith('ERR_HTTP_CONTENT')
  if (code.startsWith('Z_') && code !== 'Z_BUF_ERROR') return refused('malformed', `content encoding broken (${code})`)
  return refused(isCutOff ? 'truncated' : 'unreachable', `${message} (${code})`)
}

/** Reads the body up to a cap of unpacked bytes, so that a small bomb cannot fill the memory; null when there is more. */
async function readText(response: Response, maxBytes: number): Promise<string | null> {
  if (response.body === null) return ''
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    // Leaving the loop cancels the stream and frees the connection.
    if (bytes > maxBytes) return null
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}
