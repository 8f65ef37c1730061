import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { type ClickHouseException, codes, exception } from './exceptions.ts'

/** The two who may use the port. `services` reads and writes, `reader` only reads. */
export interface User {
  readonly name: 'services' | 'reader'
  readonly password: string
}

export interface Credentials {
  readonly name: string
  readonly password: string
}

/**
 * Reads name and password from `X-ClickHouse-*` headers or basic authentication; the first that is there counts. A password
 * in the URL is refused, even a right one: URLs end up in logs and in the browser's history.
 */
export function credentialsOf(headers: IncomingHttpHeaders, params: URLSearchParams): Credentials | undefined {
  if (params.has('password')) throw refusedCredentials('a password must not be part of the URL')
  const headerUser = single(headers['x-clickhouse-user'])
  const headerKey = single(headers['x-clickhouse-key'])
  if (headerKey !== undefined) return { name: headerUser ?? params.get('user') ?? '', password: headerKey }
  const basic = /^basic\s+(.+)$/i.exec(headers.authorization ?? '')?.[1]
  if (basic === undefined) return undefined
  const [, name = '', password = ''] = /^([^:]*):?([\s\S]*)$/.exec(Buffer.from(basic, 'base64').toString('utf8')) ?? []
  return { name, password }
}

/** Returns the user of these credentials, or undefined when they are wrong or missing. */
export function userOf(users: readonly User[], credentials: Credentials | undefined): User | undefined {
  if (credentials === undefined) return undefined
  // Every user is compared, so that the time of an answer tells nothing about the name.
  const checked = users.map((user) => ({
    user,
    isName: isSame(user.name, credentials.name),
    isPassword: isSame(user.password, credentials.password),
  }))
  return checked.find(({ isName, isPassword }) => isName && isPassword)?.user
}

/** One text for every reason, so that an answer does not tell which names exist. */
export const authenticationFailed = (credentials: Credentials | undefined): ClickHouseException =>
  credentials === undefined
    ? refusedCredentials('this server needs the name and password of the user services or reader')
    : refusedCredentials(`${credentials.name}: password is incorrect, or there is no user with such name`)

const refusedCredentials = (reason: string): ClickHouseException =>
  exception(codes.authenticationFailed, `Authentication failed: ${reason}.`)

/** Digests have one length, so the comparison takes the same time for every input. */
const isSame = (expected: string, given: string): boolean => timingSafeEqual(digest(expected), digest(given))

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

const single = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value)
