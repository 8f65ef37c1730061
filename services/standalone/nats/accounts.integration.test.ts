import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kvm } from '@nats-io/kv'
import { jetstreamManager } from '@nats-io/jetstream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bus, connectBus } from '../../../shared/bus/connect.ts'
import { deadLetters } from '../../../shared/bus/dead-letters.ts'
import { messageAt } from '../../../shared/bus/messages.ts'
import { readerApiPrefix } from '../../../shared/bus/settings.ts'
import { ensureStreams, streamInfo } from '../../../shared/bus/streams.ts'
import { openTail } from '../../../shared/bus/tail.ts'
import { createLogger } from '../../../shared/runtime/logger.ts'
import { waitFor } from '../../../tests/support/wait-for.ts'
import { type NatsServer, startNats } from './nats-server.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const passwords = { services: 's'.repeat(43), reader: 'r'.repeat(43) }
const open = new AsyncDisposableStack()
let dataDir = ''
let server: NatsServer
let services: Bus
let reader: Bus

const connectAs = (user: 'services' | 'reader'): Promise<Bus> =>
  connectBus({
    servers: server.url,
    name: user,
    log,
    user,
    password: passwords[user],
    ...(user === 'reader' && { apiPrefix: readerApiPrefix }),
  })

/** What a reader must not be able to change, all of it. */
async function stateOfServer(): Promise<unknown> {
  const streams = await Array.fromAsync(services.jsm.streams.list())
  return streams.map(({ config, state }) => ({ config, state, consumers: state.consumer_count }))
}

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'strikeflow-accounts-'))
  open.defer(() => rm(dataDir, { recursive: true, force: true }))
  server = open.use(await startNats({ dataDir, log, passwords }))
  services = open.use(await connectAs('services'))
  reader = open.use(await connectAs('reader'))
  await ensureStreams(services, 'embedded')
  await services.js.publish('alerts.info.iv_spike.SPY', 'first')
  await services.js.publish('chains.raw.0.test.SPY', 'chain')
  await services.js.publish('dlq.chains.raw.0.test.SPY', 'dead')
  await services.js.publish('scans.task.0.SPY', 'task')
  await services.jsm.consumers.add('CHAINS', { durable_name: 'scan-sink', ack_policy: 'explicit' })
})
afterAll(() => open.disposeAsync())

describe('a server with passwords', () => {
  it.each([
    ['nobody', {}],
    ['a wrong password', { user: 'reader', password: 'wrong' }],
    ['an empty password', { user: 'services', password: '' }],
    ['the other user’s password', { user: 'services', password: passwords.reader }],
    ['an unknown user', { user: 'admin', password: passwords.services }],
    ['a password in place of a token', { token: passwords.services }],
  ])('refuses %s', async (_, account) => {
    const refused = connectBus({ servers: server.url, name: 'stranger', log, ...account })
    await expect(refused).rejects.toMatchObject({ code: 'bus', retryable: false })
  })

  it('keeps the passwords in a file of its owner, and out of its log and its command line', async () => {
    expect((await stat(join(dataDir, 'nats-server.conf'))).mode & 0o777).toBe(0o600)
    const places = [server.logFile, `/proc/${server.pid}/cmdline`, `/proc/${server.pid}/environ`]
    for (const place of places) {
      const text = await readFile(place, 'utf8')
      expect([place, text.includes(passwords.services), text.includes(passwords.reader)]).toEqual([place, false, false])
    }
  })

  it('goes on with the streams, consumers and buckets of a server without users', async () => {
    const older = await mkdtemp(join(tmpdir(), 'strikeflow-accounts-'))
    open.defer(() => rm(older, { recursive: true, force: true }))
    let created = ''
    {
      await using before = await startNats({ dataDir: older, log })
      await using bus = await connectBus({ servers: before.url, name: 'older', log })
      await ensureStreams(bus, 'embedded')
      await bus.js.publish('chains.raw.0.test.SPY', 'kept', { msgID: 'm1' })
      await bus.jsm.consumers.add('CHAINS', { durable_name: 'place', ack_policy: 'explicit' })
      await (await new Kvm(bus.js).open('coord')).put('lease', 'mine')
      created = (await streamInfo(bus, 'CHAINS')).created
    }
    for (let start = 0; start < 2; start++) {
      await using now = await startNats({ dataDir: older, log, passwords })
      await using bus = await connectBus({
        servers: now.url,
        name: 'newer',
        log,
        user: 'services',
        password: passwords.services,
      })
      expect(await streamInfo(bus, 'CHAINS')).toMatchObject({ created, messages: 1 })
      expect((await bus.js.publish('chains.raw.0.test.SPY', 'kept', { msgID: 'm1' })).duplicate).toBe(true)
      expect((await bus.jsm.consumers.info('CHAINS', 'place')).name).toBe('place')
      expect((await (await new Kvm(bus.js).open('coord')).get('lease'))?.string()).toBe('mine')
    }
  })
})

describe('the user reader', () => {
  it('follows and reads streams', async () => {
    await using tail = await openTail(reader, '>', { begin: 'fromStart' })
    const seen: string[] = []
    for await (const { subject } of tail) if (seen.push(subject) === 3) break
    expect(seen.toSorted()).toEqual(['alerts.info.iv_spike.SPY', 'chains.raw.0.test.SPY', 'dlq.chains.raw.0.test.SPY'])
    expect((await messageAt(reader, 'ALERTS', 1))?.subject).toBe('alerts.info.iv_spike.SPY')
    expect(await Array.fromAsync(deadLetters(reader))).toHaveLength(1)
    expect((await streamInfo(reader, 'SCANS')).messages).toBe(1)
    const direct = await reader.jsm.direct.getMessage('ALERTS', { seq: 1, next_by_subj: 'alerts.>' })
    expect(direct?.string()).toBe('first')
  })

  it('receives what is published, and nothing that is not meant for readers', async () => {
    const alerts = reader.connection.subscribe('alerts.>')
    const errors: unknown[] = []
    const forbidden = ['$KV.>', '>', '$JS.API.>', '$SYS.>', 'other.>'].map((subject) =>
      reader.connection.subscribe(subject, { callback: (error) => void errors.push(error) }),
    )
    await reader.connection.flush()
    await waitFor('every refusal', () => errors.length >= forbidden.length)
    await services.js.publish('alerts.info.iv_spike.QQQ', 'live')
    for await (const message of alerts) {
      expect(message.string()).toBe('live')
      break
    }
  })

  it('changes nothing by any call of the API, under either prefix', async () => {
    const before = await stateOfServer()
    const plain = await jetstreamManager(reader.connection, { checkAPI: false })
    for (const jsm of [reader.jsm, plain]) {
      const calls = [
        () => jsm.streams.purge('ALERTS'),
        () => jsm.streams.delete('ALERTS'),
        () => jsm.streams.deleteMessage('ALERTS', 1),
        () => jsm.streams.add({ name: 'OWN', subjects: ['own.>'] }),
        () => jsm.streams.update('ALERTS', { max_msgs: 1 }),
        () => jsm.consumers.add('CHAINS', { ack_policy: 'none' }),
        () => jsm.consumers.add('CHAINS', { durable_name: 'mine', ack_policy: 'none' }),
        () => jsm.consumers.add('SCANS', { name: 'mine', filter_subject: 'scans.task.>', ack_policy: 'explicit' }),
        () => jsm.consumers.update('CHAINS', 'scan-sink', { max_deliver: 1 }),
        () => jsm.consumers.delete('CHAINS', 'scan-sink'),
        () => jsm.consumers.pause('CHAINS', 'scan-sink', new Date(Date.now() + 3_600_000)),
        () => reader.connection.request('$JS.API.CONSUMER.MSG.NEXT.CHAINS.scan-sink', '1', { timeout: 1000 }),
        () =>
          reader.connection.request('$JS.API.STREAM.SNAPSHOT.CHAINS', '{"deliver_subject":"_INBOX.x"}', {
            timeout: 1000,
          }),
      ]
      for (const call of calls) await expect(call()).rejects.toThrow(/permissions violation|not supported|not enabled/i)
    }
    expect(await stateOfServer()).toEqual(before)
  })

  it('publishes nothing: not on a stream’s subject, into a bucket, as an acknowledgement or to the server', async () => {
    const before = await stateOfServer()
    const subjects = [
      'chains.raw.0.test.SPY',
      'alerts.info.iv_spike.SPY',
      '$KV.coord.lease',
      '$JS.ACK.CHAINS.scan-sink.1.1.1.1.0',
      '$SYS.REQ.SERVER.PING',
      '$SYS.REQ.ACCOUNT.STRIKEFLOW.CONNZ',
      'anything',
    ]
    for (const subject of subjects)
      await expect(reader.connection.request(subject, 'x', { timeout: 2000 })).rejects.toThrow(/permissions violation/i)
    expect(await stateOfServer()).toEqual(before)
  })

  it('cannot have an answer of the server published for it', async () => {
    const before = await stateOfServer()
    const requests = [
      ['STREAM.INFO.ALERTS', ''],
      ['STREAM.NAMES', ''],
      ['STREAM.MSG.GET.ALERTS', '{"seq":1}'],
      ['DIRECT.GET.ALERTS', '{"seq":1}'],
    ] as const
    const replies = [
      'chains.raw.0.test.SPY',
      'alerts.info.iv_spike.SPY',
      '$KV.coord.lease',
      '$JS.API.STREAM.PURGE.CHAINS',
      '$JS.API.STREAM.DELETE.CHAINS',
      ...[
        'STREAM.INFO.CHAINS',
        'STREAM.MSG.GET.CHAINS',
        'DIRECT.GET.CHAINS',
        'STREAM.LIST',
        'STREAM.DELETE.CHAINS',
      ].map((name) => `${readerApiPrefix}.${name}`),
    ]
    const { pid } = server
    for (const reply of replies) {
      for (const [name, body] of requests) reader.connection.publish(`${readerApiPrefix}.${name}`, body, { reply })
    }
    // Requests of one connection are answered in their order, so those before this one are over.
    await streamInfo(reader, 'ALERTS')
    await services.connection.flush()
    expect(await stateOfServer()).toEqual(before)
    expect(process.kill(pid, 0)).toBe(true)
  })
})
