import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('takes flags before variables and defaults after both', () => {
  const config = readConfig(['--port', '9000'], { EMBEDDED_CLICKHOUSE_PORT: '1', EMBEDDED_CLICKHOUSE_DATA_DIR: '/d' })
  expect(config).toMatchObject({ port: 9000, dataDir: '/d', host: '127.0.0.1', maxSessions: 4 })
})

test('makes no difference between a flag and a variable of the secrets folder', () => {
  expect(readConfig(['--data-dir', '/d', '--secrets-dir', '/s'], {}).secretsDir).toBe('/s')
  const env = { EMBEDDED_CLICKHOUSE_SECRETS_DIR: '/t', EMBEDDED_CLICKHOUSE_ALLOWED_HOSTS: 'box, box.lan' }
  expect(readConfig(['--data-dir', '/d'], env)).toMatchObject({ secretsDir: '/t', allowedHosts: ['box', 'box.lan'] })
})

test.each([
  [[], {}, /DATA_DIR/],
  [['--data-dir', '/d', '--prot', '1'], {}, /--prot/],
  [['--data-dir', '/d'], { EMBEDDED_CLICKHOUSE_PROT: '1' }, /EMBEDDED_CLICKHOUSE_PROT is not a setting/],
  [['--data-dir', '/d', '--port', '70000'], {}, /PORT/],
  [['--data-dir', '/d'], { EMBEDDED_CLICKHOUSE_PASSWORD: 'x' }, /EMBEDDED_CLICKHOUSE_PASSWORD is not a setting/],
] as const)('refuses %j with %j and names what is wrong', (args, env, message) => {
  expect(() => readConfig(args, env)).toThrow(message)
})
