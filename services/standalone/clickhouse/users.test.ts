import { expect, test } from 'vitest'
import { authenticate, credentialsOf, type User } from './users.ts'

const none = new URLSearchParams()
const users: User[] = [
  { name: 'default', password: '', readonly: false },
  { name: 'api', password: 'p:w', readonly: true },
]

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
  expect(authenticate(users, credentials, '127.0.0.1').name).toBe('default')
  expect(authenticate(users, credentials, '::ffff:127.0.0.1').name).toBe('default')
  expect(() => authenticate(users, credentials, '10.0.0.5')).toThrow(/Code: 516/)
  expect(() => authenticate(users, credentials, undefined)).toThrow(/Code: 516/)
})

test('answers a wrong password and an unknown user with the same words', () => {
  expect(authenticate(users, { name: 'api', password: 'p:w' }, '10.0.0.5').readonly).toBe(true)
  expect(() => authenticate(users, { name: 'api', password: 'x' }, '127.0.0.1')).toThrow(/Authentication failed/)
  expect(() => authenticate(users, { name: 'nobody', password: '' }, '127.0.0.1')).toThrow(/Authentication failed/)
})
