import type { IncomingHttpHeaders } from 'node:http'
import { isIPv4, isIPv6 } from 'node:net'

/** The parts of a request that the guard reads; `IncomingMessage` has them. */
export interface GuardedRequest {
  readonly method?: string | undefined
  readonly headers: IncomingHttpHeaders
  /** Names and values in turn. Node keeps only the first `Host` in `headers`, so a second one is visible only here. */
  readonly rawHeaders: readonly string[]
}

export interface GuardRules {
  /** The address the port is bound to, such as `127.0.0.1`, `::1` or `0.0.0.0`. */
  readonly boundHost: string
  /** Host names accepted on a loopback port besides the loopback names, without a port. @default none */
  readonly allowedHosts?: readonly string[]
  /** Lets a top-level GET navigation from another site through; its answer must forbid framing. @default false */
  readonly allowsNavigation?: boolean
}

/** Returns the reason why a request is refused, or null when it is allowed. */
export type RequestGuard = (request: GuardedRequest) => string | null

/**
 * Protects an HTTP port from web pages that the user's browser has open. A page cannot set `Host`, `Origin` or
 * `Sec-Fetch-Site`, so these tell whether the request was made by a page of another site:
 *
 * - On a loopback port `Host` must be a loopback name or a configured one. This stops DNS rebinding, where a page's own
 *   host name resolves to 127.0.0.1. On any other port the host name says nothing, and a credential must protect it.
 * - A foreign `Origin`, or a `Sec-Fetch-Site` other than `none` and `same-origin`, is refused on every port. Another port of
 *   the same machine is foreign too.
 * - WebSocket handshakes are refused: browsers do not apply the same-origin policy to them.
 */
export function createRequestGuard({
  boundHost,
  allowedHosts = [],
  allowsNavigation = false,
}: GuardRules): RequestGuard {
  const isLoopback = isLoopbackHost(boundHost)
  const configured = new Set(allowedHosts.map((name) => name.toLowerCase()))
  const isKnownName = (name: string): boolean => isLoopbackName(name) || configured.has(name)

  return (request) => {
    const { headers } = request
    const host = hostOf(request)
    if (host === null) return 'the Host header is missing, repeated or malformed'
    if (isLoopback && !isKnownName(host.name)) return 'the Host header names neither this machine nor a configured host'
    if (isWebSocket(headers)) return 'WebSocket connections are not served'
    if (headers.origin !== undefined && !isOwnOrigin(headers.origin, host)) return 'the Origin header is foreign'
    const site = headers['sec-fetch-site']
    if (site === undefined || site === 'none' || site === 'same-origin') return null
    if (allowsNavigation && isTopLevelNavigation(request)) return null
    return 'the request was made by a page of another site'
  }
}

/** True when only processes of this machine can reach a port bound to this address. */
export function isLoopbackHost(boundHost: string): boolean {
  const address = boundHost.toLowerCase()
  return isLoopbackName(isIPv6(address) ? `[${address}]` : address)
}

/** Names that cannot be made to mean another machine: the IP literals of loopback and `localhost`. */
function isLoopbackName(name: string): boolean {
  return name === 'localhost' || (isIPv4(name) && name.startsWith('127.')) || canonicalIpv6(name) === '[::1]'
}

interface Host {
  readonly name: string
  /** Null when the header has none: the scheme's own port. */
  readonly port: number | null
}

/** Parses the one `Host` header strictly: user info, paths, blanks and a trailing dot are refused. */
function hostOf({ rawHeaders }: GuardedRequest): Host | null {
  const values = rawHeaders.filter((_, index) => index % 2 === 1 && /^host$/i.test(rawHeaders[index - 1] ?? ''))
  return values.length === 1 ? parseHost(values[0] ?? '') : null
}

const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9._-]*[a-z0-9_-])?)(?::(\d{1,5}))?$/

function parseHost(text: string): Host | null {
  const match = hostPattern.exec(text.toLowerCase())
  if (match === null) return null
  const [, name = '', port] = match
  const canonical = name.startsWith('[') ? canonicalIpv6(name) : name
  return canonical === null ? null : { name: canonical, port: port === undefined ? null : Number(port) }
}

/** `[0:0:0:0:0:0:0:1]` is `[::1]`; null when it is no bracketed IPv6 address. */
function canonicalIpv6(name: string): string | null {
  if (!name.startsWith('[') || !isIPv6(name.slice(1, -1))) return null
  return new URL(`http://${name}`).hostname
}

/** True for the origin the request itself was sent to. `null` is the origin of sandboxed frames and files, and is foreign. */
function isOwnOrigin(origin: string, host: Host): boolean {
  const match = /^(https?):\/\/(.+)$/.exec(origin)
  const own = match === null ? null : parseHost(match[2] ?? '')
  if (match === null || own === null) return false
  const schemePort = match[1] === 'https' ? 443 : 80
  return own.name === host.name && (own.port ?? schemePort) === (host.port ?? schemePort)
}

const isWebSocket = (headers: IncomingHttpHeaders): boolean =>
  /\bwebsocket\b/i.test(headers.upgrade ?? '') || headers['sec-websocket-key'] !== undefined

/** A link that the user follows or an address typed in. It shows the answer to the user and not to the page that linked. */
const isTopLevelNavigation = ({ method, headers }: GuardedRequest): boolean =>
  method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
