import { expect, test } from 'vitest'
import { authenticationFailed, credentialsOf, type User, userOf } from './users.ts'

const users: readonly User[] = [
  { name: 'services', password: 'first' },
  { name: 'reader', password: 'second' },
]
const basic = (text: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(text).toString('base64')}`,
})
const none = new URLSearchParams()

test('takes name and password from headers or basic authentication', () => {
  const headers = { 'x-clickhouse-user': 'reader', 'x-clickhouse-key': 'second' }
  expect(userOf(users, credentialsOf(headers, none))?.name).toBe('reader')
  expect(userOf(users, credentialsOf(basic('services:first'), none))?.name).toBe('services')
  const named = credentialsOf({ 'x-clickhouse-key': 'second' }, new URLSearchParams({ user: 'reader' }))
  expect(userOf(users, named)?.name).toBe('reader')
})

test('refuses a password in the URL, even a right one', () => {
  const params = new URLSearchParams({ user: 'services', password: 'first' })
  expect(() => credentialsOf({}, params)).toThrow(/must not be part of the URL/)
  expect(() => credentialsOf(basic('services:first'), params)).toThrow(/must not be part of the URL/)
})

test.each([
  ['no credentials', {}],
  ['a name without a password', { 'x-clickhouse-user': 'services' }],
  ['an empty password', basic('services:')],
  ['a wrong password', basic('services:second')],
  ['a prefix of the password', basic('services:firs')],
  ['the user default of older versions', basic('default:')],
  ['an unknown user', basic('nobody:first')],
  ['base64 of nothing', { authorization: 'Basic ====' }],
])('knows nobody by %s', (_, headers) => {
  expect(userOf(users, credentialsOf(headers, none))).toBeUndefined()
})

test('words the refusal the same for a wrong name and a wrong password', () => {
  const text = (name: string): string => authenticationFailed({ name, password: 'x' }).message.replace(name, '?')
  expect(text('services')).toBe(text('nobody'))
})
