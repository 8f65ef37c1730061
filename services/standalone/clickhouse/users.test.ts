import { expect, test } from 'vitest'
import { authenticate, credentialsOf, type RequestSource, type User } from './users.ts'

const none = new URLSearchParams()
const users: User[] = [
  { name: 'default', password: '', readonly: false },
  { name: 'api', password: 'p:w', readonly: true },
]

const from = (remoteAddress: string | undefined, origin?: string): RequestSource => ({ remoteAddress, origin })

test('reads credentials from headers, basic authentication or the URL, in this order', () => {
  const url = new URLSearchParams({ user: 'u3', password: 'p3' })
  const authorization = `Basic ${Buffer.from('u2:p:2').toString('base64')}`
  expect(credentialsOf({ 'x-clickhouse-user': 'u1', 'x-clickhouse-key': 'p1', authorization }, url)).toEqual({
    name: 'u1',
    password: 'p1',
  })
  expect(credentialsOf({ authorization }, url)).toEqual({ name: 'u2', password: 'p:2' })
  expect(credentialsOf({}, url)).toEqual({ name: 'u3', password: 'p3' })
  expect(credentialsOf({}, none)).toEqual({ name: 'default', password: '' })
})

test('lets a user without a password in from this machine only', () => {
  const credentials = { name: 'default', password: '' }
  expect(authenticate(users, credentials, from('127.0.0.1')).name).toBe('default')
  expect(authenticate(users, credentials, from('::ffff:127.0.0.1')).name).toBe('default')
  expect(() => authenticate(users, credentials, from('10.0.0.5'))).toThrow(/Code: 516/)
  expect(() => authenticate(users, credentials, from(undefined))).toThrow(/Code: 516/)
})

test('keeps a page in a browser from a user without a password', () => {
  const credentials = { name: 'default', password: '' }
  expect(() => authenticate(users, credentials, from('127.0.0.1', 'https://elsewhere.example'))).toThrow(/Code: 516/)
  expect(authenticate(users, { name: 'api', password: 'p:w' }, from('127.0.0.1', 'https://own.example')).name).toBe(
    'api',
  )
})

test('answers a wrong password and an unknown user with the same words', () => {
  expect(authenticate(users, { name: 'api', password: 'p:w' }, from('10.0.0.5')).readonly).toBe(true)
  expect(() => authenticate(users, { name: 'api', password: 'x' }, from('127.0.0.1'))).toThrow(/Authentication failed/)
  expect(() => authenticate(users, { name: 'nobody', password: '' }, from('127.0.0.1'))).toThrow(
    /Authentication failed/,
  )
})
