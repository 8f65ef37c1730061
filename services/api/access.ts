import { createHash, timingSafeEqual } from 'node:crypto'
import { createRequestGuard, isLoopbackHost } from '../../shared/runtime/request-guard.ts'
import type { SlowRefusals } from '../../shared/runtime/slow-refusals.ts'
import { problemResponse } from './problem.ts'
import type { AppContext } from './routes/route.ts'

export interface AccessOptions {
  /** The address the port is bound to. */
  readonly host: string
  readonly allowedHosts: readonly string[]
  /** Lets somebody read where the port is not on loopback; null lets nobody. */
  readonly readSecret: string | null
  /** Lets somebody use routes that change something; null lets nobody. */
  readonly writeSecret: string | null
  /** Holds back the answers to wrong secrets. */
  readonly slow: SlowRefusals
}

/** Returns the refusal of a request, or null when it may go on to its route. */
export type Access = (context: Pick<AppContext, 'env'>) => Response | null | Promise<Response>

/**
 * Decides who may ask. Web pages of other sites are refused everywhere. What changes something needs the write secret; what
 * reads is open on a loopback port and needs a secret elsewhere, health and metrics excepted.
 */
export function createAccess({ host, allowedHosts, readSecret, writeSecret, slow }: AccessOptions): Access {
  const guard = createRequestGuard({ boundHost: host, allowedHosts, allowsNavigation: true })
  const needsReader = !isLoopbackHost(host)
  const isWriter = bearer(writeSecret)
  const isReader = either(bearer(readSecret), basic('reader', readSecret))

  return ({ env: { incoming: request } }) => {
    const reason = guard(request)
    if (reason !== null) return problemResponse(403, `Refused: ${reason}`)
    const { authorization } = request.headers
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      if (isWriter(authorization)) return null
      return unauthorized(slow, authorization, writeProblem)
    }
    if (!needsReader || isOpenToAll(request.url) || isReader(authorization) || isWriter(authorization)) return null
    return unauthorized(slow, authorization, readProblem)
  }
}

interface Problem {
  readonly detail: string
  readonly challenge: string
}

const writeProblem: Problem = {
  detail: 'Expected Authorization: Bearer with the api-write secret',
  challenge: 'Bearer realm="strikeflow"',
}
const readProblem: Problem = {
  detail: 'Expected Authorization with the reader secret',
  challenge: 'Basic realm="strikeflow", charset="UTF-8"',
}

/** A request without any secret guesses none, and is answered at once. */
async function unauthorized(
  slow: SlowRefusals,
  authorization: string | undefined,
  { detail, challenge }: Problem,
): Promise<Response> {
  const isAnswered = authorization === undefined || (await slow.slowDown(never))
  if (!isAnswered) return problemResponse(429, 'Too many wrong secrets at the same time')
  return problemResponse(401, detail, { 'WWW-Authenticate': challenge })
}

const never = new AbortController().signal

/** Probes and Prometheus have no credential; what they are told is no secret. */
const isOpenToAll = (url = ''): boolean => /^\/(?:health\/(?:live|ready|startup)|status|metrics)$/.test(url)

type Check = (authorization: string | undefined) => boolean

const either =
  (a: Check, b: Check): Check =>
  (authorization) =>
    a(authorization) || b(authorization)

function bearer(secret: string | null): Check {
  if (secret === null) return () => false
  const isSecret = equals(secret)
  return (authorization = '') => isSecret(/^bearer +(\S+)$/i.exec(authorization)?.[1] ?? '')
}

/** What `curl -u` and browsers send. */
function basic(name: string, secret: string | null): Check {
  if (secret === null) return () => false
  const isAccount = equals(`${name}:${secret}`)
  return (authorization = '') => {
    const encoded = /^basic +(\S+)$/i.exec(authorization)?.[1]
    return encoded !== undefined && isAccount(Buffer.from(encoded, 'base64').toString())
  }
}

/** Compares digests, so that the time it takes tells nothing of the secret, not even its length. */
function equals(secret: string): (text: string) => boolean {
  const wanted = digest(secret)
  return (text) => timingSafeEqual(digest(text), wanted)
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
