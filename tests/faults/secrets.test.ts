import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { readStackSecret, secretFiles } from '../../shared/runtime/secrets.ts'
import { send } from '../support/http.ts'
import { silentLog } from '../support/nats.ts'
import { startCommand } from '../support/service.ts'
import { startTestStack, strikeflow, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

let stack: TestStack
/** Name and value of each secret. */
let canaries: readonly (readonly [string, string])[]
const open = new AsyncDisposableStack()

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'strikeflow-secrets-'))
  open.defer(() => rm(directory, { recursive: true, force: true }))
  stack = open.use(
    await startTestStack({ dataDirectory: directory, env: { STANDALONE_SPEED: '60', COLLECTOR_SIM_UNDERLYINGS: '5' } }),
  )
  const { services, reader, apiWrite } = secretFiles(directory)
  canaries = [services, reader, apiWrite].map((path) => [path, readStackSecret(path)])
  await waitFor('chains in the export', () => sizeOf(join(directory, 'exports', 'chains.json')) > 10_000)
})
const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

afterAll(() => open.disposeAsync())

/** Names of the secrets that a text holds, also encoded as HTTP would have them. */
const found = (text: string): readonly string[] =>
  canaries
    .filter(([, secret]) => {
      const forms = [secret, ...['services', 'reader', 'api-write'].map((user) => btoa(`${user}:${secret}`))]
      return forms.some((form) => text.includes(form))
    })
    .map(([name]) => name)

/** The process and all that it started, by the parents that /proc names. */
function family(root: number): readonly number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      // It has ended meanwhile.
    }
  }
  const members = [root]
  for (const member of members) for (const [pid, parent] of parents) if (parent === member) members.push(pid)
  return members
}

/** Folders that are gone while they are read hold nothing: ClickHouse removes a part's folder after a merge. */
function filesBelow(directory: string): readonly string[] {
  return ifThere(() => readdirSync(directory, { withFileTypes: true }), []).flatMap((entry) => {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) return filesBelow(path)
    return entry.isFile() ? [path] : []
  })
}

function ifThere<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch (error) {
    if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    return otherwise
  }
}

/** Empty for a file that is gone by now, as ClickHouse's are after a merge. */
const contentOf = (path: string): string => ifThere(() => readFileSync(path, 'latin1'), '')

/** Where secrets may be: their own folder, and the configuration of nats-server, which only its owner can read. */
const isForSecrets = (path: string): boolean =>
  path.startsWith(join(stack.dataDirectory, 'secrets')) ||
  path === join(stack.dataDirectory, 'nats', 'nats-server.conf')

function openFiles(pid: number): ReadonlySet<string> {
  const folder = `/proc/${pid}/fd`
  return new Set(
    ifThere(() => readdirSync(folder), []).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))]
      } catch {
        return []
      }
    }),
  )
}

/** Of every process of the stack that has a health port, found by the ports it listens on. */
async function healthUrls(): Promise<readonly string[]> {
  const pids = family(stack.process.pid ?? 0)
  const inodes = new Map<string, number>()
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/)
    if (state === '0A') inodes.set(inode, Number.parseInt(local.split(':')[1] ?? '', 16))
  }
  const ports = new Set<number>()
  for (const pid of pids) {
    const opened = openFiles(pid)
    for (const [inode, port] of inodes) if (opened.has(`socket:[${inode}]`)) ports.add(port)
  }
  const urls = [...ports].map((port) => `http://127.0.0.1:${port}`)
  const answers = await Promise.all(urls.map((url) => send(`${url}/health/live`).catch(() => null)))
  return urls.filter((_, i) => answers[i]?.status === 200)
}

const run = (...args: readonly string[]) => strikeflow([...args, '--data', stack.dataDirectory])

describe('the secrets of a running stack', () => {
  it('can be read by their owner alone', () => {
    const { directory, ...files } = secretFiles(stack.dataDirectory)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    for (const path of [...Object.values(files), join(stack.dataDirectory, 'nats', 'nats-server.conf')])
      expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o600])
  })

  it('are in no command line and no environment of its processes', () => {
    const pids = family(stack.process.pid ?? 0)
    expect(pids.length).toBeGreaterThanOrEqual(8)
    for (const pid of pids) {
      for (const name of ['cmdline', 'environ'])
        expect([pid, name, found(contentOf(`/proc/${pid}/${name}`))]).toEqual([pid, name, []])
    }
  })

  it('are in no other file of the data directory: logs, stack.json, exports, archive, streams, database', () => {
    const files = filesBelow(stack.dataDirectory).filter((path) => !isForSecrets(path))
    for (const name of [
      'stack.json',
      'standalone.log',
      'logs/processor.log',
      'nats/nats-server.log',
      'exports/chains.json',
    ])
      expect(files).toContain(join(stack.dataDirectory, name))
    const telling = files.filter((path) => found(contentOf(path)).length > 0)
    expect(telling).toEqual([])
  })

  it('are neither on the terminal nor in anything the ports say, and no path outside of the data directory is', async () => {
    expect(stack.output()).toContain('processor is up')
    expect(found(stack.output())).toEqual([])
    const urls = await healthUrls()
    // Processor, archiver, exporter, API and collector.
    expect(urls).toHaveLength(5)
    for (const url of urls) {
      for (const path of ['/health/live', '/health/ready', '/status', '/metrics', '/', '/nothing']) {
        const { body } = await send(`${url}${path}`)
        expect([url, path, found(body)]).toEqual([url, path, []])
        const outside = (
          body.match(/(?<=[\s"'(=:])\/(?:root|home|tmp|var|etc|usr|work|opt|proc|dev)\/[^\s"')]*/g) ?? []
        ).filter((text) => !text.startsWith(stack.dataDirectory))
        expect([url, path, outside]).toEqual([url, path, []])
      }
    }
  })

  it('are not in what a service or a command says when it is refused', async () => {
    const wrong = { NATS_URL: stack.natsUrl, CLICKHOUSE_URL: stack.clickhouseUrl, STRIKEFLOW_DEBUG: '1' }
    const { reader, services } = secretFiles(stack.dataDirectory)
    const nowhere = join(stack.dataDirectory, 'no-stack')
    const attempts = [
      [['processor'], { NATS_USER: 'services', NATS_PASSWORD_FILE: reader, HEALTH_PORT: '0' }],
      [['gaps', '--data', nowhere], { CLICKHOUSE_USER: 'reader', CLICKHOUSE_PASSWORD_FILE: services }],
      [['tail', 'alerts.>', '--data', nowhere], { NATS_USER: 'reader', NATS_PASSWORD_FILE: services }],
    ] as const
    for (const [args, env] of attempts) {
      const { code, stdout, stderr } = await strikeflow([...args], { ...wrong, ...env })
      expect([args, code]).not.toEqual([args, 0])
      expect([args, found(stdout + stderr)]).toEqual([args, []])
    }
  })

  it('are asked for by ClickHouse and NATS', async () => {
    await expect(connectBus({ servers: stack.natsUrl, name: 'stranger', log: silentLog })).rejects.toThrow(
      /authorization/i,
    )
    const anybody = await send(`${stack.clickhouseUrl}/?query=SELECT+1`)
    expect(anybody.status).toBeGreaterThanOrEqual(400)
    const [, user = ''] =
      /^user = "(.*)"$/m.exec(readFileSync(secretFiles(stack.dataDirectory).curlReader, 'utf8')) ?? []
    const reading = await send(`${stack.clickhouseUrl}/?query=SELECT+1`, {
      headers: { Authorization: `Basic ${btoa(user)}` },
    })
    expect([reading.status, reading.body]).toEqual([200, '1\n'])
  })

  it('are found by commands through --data', async () => {
    const expected = [
      [
        ['gaps', '--floor', '0'],
        [0, 1],
      ],
      [['verify', '--commits'], [0]],
      [['dlq', 'list'], [0]],
      [['tail', 'chains.raw.>', '--all', '--count', '3'], [0]],
      [
        ['archive', 'list'],
        [0, 1],
      ],
      [['doctor'], [0]],
      [['migrate'], [0]],
    ] as const
    for (const [args, codes] of expected) {
      const { code, stdout, stderr } = await run(...args)
      expect([args, codes.includes(code as never) ? codes : stdout + stderr]).toEqual([args, codes])
      expect([args, found(stdout + stderr)]).toEqual([args, []])
    }
  })

  it('are found by a processor that is started by hand, which then shares the partitions', async () => {
    await using second = startCommand(['processor', '--data', stack.dataDirectory], {
      PROCESSOR_INSTANCE: 'by-hand',
      HEALTH_PORT: '0',
    })
    const ready = await waitFor('the second processor', () => /^\{"ready":true.*$/m.exec(second.output())?.[0])
    const { healthUrl } = JSON.parse(ready) as { healthUrl: string }
    await waitFor('its partitions', async () => {
      const { body } = await send(`${healthUrl}/status`)
      return (JSON.parse(body) as { partitions: string }).partitions !== ''
    })
    expect(found(second.output())).toEqual([])
  })
})
