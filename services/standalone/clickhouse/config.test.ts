import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

test('takes flags before variables and defaults after both', () => {
  const config = readConfig(['--port', '9000'], { EMBEDDED_CLICKHOUSE_PORT: '1', EMBEDDED_CLICKHOUSE_DATA_DIR: '/d' })
  expect(config).toMatchObject({ port: 9000, dataDir: '/d', host: '127.0.0.1', maxSessions: 4 })
})

test('gives the four usual users, two of them read-only', () => {
  const { users } = readConfig(['--data-dir', '/d'], { EMBEDDED_CLICKHOUSE_GRAFANA_PASSWORD: 'g' })
  expect(users).toEqual([
    { name: 'default', password: '', readonly: false },
    { name: 'strikeflow', password: '', readonly: false },
    { name: 'strikeflow_api', password: '', readonly: true },
    { name: 'strikeflow_grafana', password: 'g', readonly: true },
  ])
})

test('takes other users from a JSON list', () => {
  const env = { EMBEDDED_CLICKHOUSE_USERS: '[{"name":"me","password":"x"}]' }
  expect(readConfig(['--data-dir', '/d'], env).users).toEqual([{ name: 'me', password: 'x', readonly: false }])
})

test.each([
  [[], {}, /DATA_DIR/],
  [['--data-dir', '/d', '--prot', '1'], {}, /--prot/],
  [['--data-dir', '/d'], { EMBEDDED_CLICKHOUSE_PROT: '1' }, /EMBEDDED_CLICKHOUSE_PROT is not a setting/],
  [['--data-dir', '/d', '--port', '70000'], {}, /PORT/],
  [['--data-dir', '/d'], { EMBEDDED_CLICKHOUSE_USERS: '{' }, /JSON list/],
] as const)('refuses %j with %j and names what is wrong', (args, env, message) => {
  expect(() => readConfig(args, env)).toThrow(message)
})
