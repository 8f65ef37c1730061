import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectBus } from '../../../shared/bus/connect.ts'
import { createPublisher } from '../../../shared/bus/publisher.ts'
import { ensureStreams, streamInfo } from '../../../shared/bus/streams.ts'
import { silentLog as log } from '../../../tests/support/nats.ts'
import { findNatsServer } from '../../../shared/runtime/find-nats-server.ts'
import { startNats } from './nats-server.ts'

let dataDir = ''

beforeEach(async () => {
  // A blank in the path: it goes through a config file.
  dataDir = await mkdtemp(join(tmpdir(), 'strikeflow nats-'))
})

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

describe('startNats', () => {
  it('keeps the messages over a stop and over a kill', async () => {
    for (const [messages, end] of [
      [1, 'stop'],
      [2, 'kill'],
      [3, 'stop'],
    ] as const) {
      await using server = await startNats({ dataDir, log })
      await using bus = await connectBus({ servers: server.url, name: 'test', log })
      await ensureStreams(bus, 'embedded')
      const publisher = createPublisher(bus, { publisherId: 'test/1' })
      await publisher.publish('features.SPY', new Uint8Array(1_000_000), { messageId: `m${messages}` })
      await publisher.publish('quality.gap.SPY', new Uint8Array(1), { messageId: `m${messages}` })
      expect((await streamInfo(bus, 'QUALITY')).messages).toBe(messages)
      if (end === 'stop') await server.stop()
      else server.kill('SIGKILL')
      const { code, signal } = await server.exited
      expect(signal ?? code).toBe(end === 'stop' ? code : 'SIGKILL')
    }
  })

  it('names a busy port', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as { port: number }
    await expect(startNats({ dataDir, log, port })).rejects.toMatchObject({
      code: 'config',
      message: `port ${port} on 127.0.0.1 is in use by another process (nats-server)`,
    })
    other.close()
  })

  it('says why the server ended at its start, and where more is written', async () => {
    await writeFile(join(dataDir, 'store'), 'a file where the store should be')
    await expect(startNats({ dataDir, log })).rejects.toThrow(/nats-server ended at its start .*nats-server\.log/)
  })

  it('refuses a store that a living process uses', async () => {
    await using server = await startNats({ dataDir, log })
    await expect(startNats({ dataDir, log })).rejects.toThrow(`is in use by process ${process.pid}`)
    expect(server.pid).toBeGreaterThan(0)
  })

  it('ends with the process that started it, even when that is killed', async () => {
    const script = `
      import { startNats } from ${JSON.stringify(join(import.meta.dirname, 'nats-server.ts'))}
      import { createLogger } from ${JSON.stringify(join(import.meta.dirname, '../../../shared/runtime/logger.ts'))}
      const log = createLogger({ service: 'test', level: 'silent' })
      const { port } = await startNats({ dataDir: ${JSON.stringify(dataDir)}, log })
      process.stdout.write(String(port))
      setInterval(() => {}, 1_000)`
    const owner = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [output] = (await once(owner.stdout, 'data')) as [Buffer]
    const port = Number(output.toString())
    expect(await answers(port)).toBe(true)
    owner.kill('SIGKILL')
    await expect.poll(() => answers(port)).toBe(false)
  })

  it('ends a server that was left behind on the store', async () => {
    const first = await startNats({ dataDir, log })
    await first.stop()
    const binary = (await findNatsServer()) ?? ''
    const orphan = spawn(binary, ['-c', join(dataDir, 'nats-server.conf')], { stdio: 'ignore' })
    const gone = once(orphan, 'exit')
    await expect.poll(() => isListed(orphan.pid)).toBe(true)
    await writeFile(join(dataDir, 'owner.pid'), '99999999')
    await using server = await startNats({ dataDir, log })
    await gone
    expect(await answers(server.port)).toBe(true)
  })

  it('writes its log into its own folder', async () => {
    await using server = await startNats({ dataDir, log })
    expect(await readFile(server.logFile, 'utf8')).toContain('Server is ready')
  })
})

describe('findNatsServer', () => {
  it('takes the copy in the cache where the machine has none', async () => {
    const copy = join(dataDir, 'nats-server')
    await writeFile(copy, '')
    expect(await findNatsServer({ folders: [], cacheDir: dataDir })).toBeNull()
    await chmod(copy, 0o755)
    expect(await findNatsServer({ folders: [], cacheDir: dataDir })).toBe(copy)
  })
})

/** True once the server has written its pid, which is when it can be found. */
async function isListed(pid: number | undefined): Promise<boolean> {
  return (await readFile(join(dataDir, 'nats-server.pid'), 'utf8').catch(() => '')).trim() === String(pid)
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
