import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { ensureStreams } from '../../shared/bus/streams.ts'
import { silentLog, startTestNats, type TestNats } from '../../tests/support/nats.ts'
import { strikeflow } from '../../tests/support/stack.ts'
import { openBus } from './open-bus.ts'

const [user, password] = ['carol', 'sesame']
let nats: TestNats
/** Holds no stack, and an archive without a file. */
let data: string
beforeAll(async () => {
  nats = await startTestNats({ configuration: [`authorization { user: ${user}, password: ${password} }`] })
  data = await mkdtemp(join(tmpdir(), 'strikeflow-data-'))
  await using bus = await connectBus({ servers: nats.url, name: 'test', log: silentLog, user, password })
  await ensureStreams(bus, 'embedded')
})
afterAll(async () => {
  await nats[Symbol.asyncDispose]()
  await rm(data, { recursive: true, force: true })
})

const account = { NATS_USER: user, NATS_PASSWORD: password } as const

describe('the connection of a command', () => {
  it('logs in at the server of the command line, of the stack, or of the environment, in this order', async () => {
    const away = 'nats://127.0.0.1:1'
    const stack = { natsUrl: nats.url, dataDirectory: data }
    const places = [
      [
        { nats: nats.url, stack: { natsUrl: away, dataDirectory: data } },
        { ...account, NATS_URL: away },
      ],
      [{ stack }, { ...account, NATS_URL: away }],
      [{ stack: null }, { ...account, NATS_URL: nats.url }],
    ] as const
    for (const [place, environment] of places) {
      await using bus = await openBus(place, environment, {
        name: 'test',
        role: 'services',
        signal: AbortSignal.timeout(20_000),
      })
      expect(bus.status()).toBe('connected')
    }
  })

  it('is refused without the password', async () => {
    const refused = openBus({ nats: nats.url, stack: null }, {}, { name: 'test', role: 'services' })
    await expect(refused).rejects.toThrow(/authorization/i)
  })

  it('needs a server to be named', async () => {
    await expect(openBus({ stack: null }, account, { name: 'test', role: 'services' })).rejects.toMatchObject({
      code: 'config',
    })
  })

  it('is that of dlq, tail and archive restore', async () => {
    const environment = { ...account, NATS_URL: nats.url }
    expect(await strikeflow(['dlq', 'list', '--data', data], environment)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('0 dead letters') as string,
    })
    const restored = await strikeflow(['archive', 'restore', '--data', data], environment)
    expect(restored.stderr).toContain('Nothing of this range is archived')
    const tail = await strikeflow(['tail', 'nothing.>', '--data', data], environment)
    expect(tail.stderr).toContain('No stream holds')
    const refused = await strikeflow(['dlq', 'list', '--data', data, '--nats', nats.url])
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/authorization/i) as string })
  })
})
