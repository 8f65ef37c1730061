import { timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { codes, exception } from './exceptions.ts'

export interface User {
  readonly name: string
  /** Empty: no password, and then only from this machine. */
  readonly password: string
  readonly readonly: boolean
}

export interface Credentials {
  readonly name: string
  readonly password: string
}

/** Reads name and password from `X-ClickHouse-*` headers, basic authentication or the URL; the first that is there counts. */
export function credentialsOf(headers: IncomingHttpHeaders, params: URLSearchParams): Credentials {
  const headerUser = single(headers['x-clickhouse-user'])
  const headerKey = single(headers['x-clickhouse-key'])
  if (headerUser !== undefined || headerKey !== undefined) {
    return { name: headerUser ?? 'default', password: headerKey ?? '' }
  }
  const basic = /^basic\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]
  if (basic !== undefined) {
    const [, name = '', password = ''] =
      /^([^:]*):?([\s\S]*)$/.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
    return { name: name === '' ? 'default' : name, password }
  }
  return { name: params.get('user') ?? 'default', password: params.get('password') ?? '' }
}

/** Where a request comes from, as far as it matters to a user without a password. */
export interface RequestSource {
  readonly remoteAddress: string | undefined
  /** Sent by browsers: a page anywhere can make one post to this machine. */
  readonly origin: string | undefined
}

/** Returns the user of these credentials or throws AUTHENTICATION_FAILED, worded the same for every reason. */
export function authenticate(users: readonly User[], credentials: Credentials, source: RequestSource): User {
  const user = users.find(({ name }) => name === credentials.name)
  if (user !== undefined && (user.password === '' ? isOwn(source) : isSame(user.password, credentials.password)))
    return user
  throw exception(
    codes.authenticationFailed,
    `${credentials.name}: Authentication failed: password is incorrect, or there is no user with such name.`,
  )
}

const isOwn = ({ remoteAddress, origin }: RequestSource): boolean => origin === undefined && isLoopback(remoteAddress)

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address)

function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)
