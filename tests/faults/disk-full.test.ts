import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { createPublisher } from '../../shared/bus/publisher.ts'
import { Ballast } from '../support/ballast.ts'
import { chainMessage } from '../support/delivery-stage.ts'
import { mountTmpfs } from '../support/mount.ts'
import { silentLog } from '../support/nats.ts'
import { commandLine, descendants } from '../support/processes.ts'
import { startTestStack, strikeflow, type TestStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'

/** Publishes chains one after the other, and remembers which of them NATS has acknowledged. */
async function journal(stack: TestStack) {
  const bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
  onTestFinished(() => bus[Symbol.asyncDispose]())
  const publisher = createPublisher(bus, { publisherId: 'test/1', timeoutMs: 2_000, deadlineMs: 2_000 })
  const acknowledged: string[] = []
  let step = 0
  /** True when the next chain was acknowledged. */
  const publish = async (): Promise<boolean> => {
    step += 1
    const { subject, payload, messageId, headers } = chainMessage({ underlying: 'JOURNAL', step })
    const isAcknowledged = await publisher.publish(subject, payload, { messageId, headers }).then(
      () => true,
      () => false,
    )
    if (isAcknowledged) acknowledged.push(messageId)
    return isAcknowledged
  }
  return { acknowledged, publish }
}

/** Every service of ours, and not nats-server, which is started again. */
const servicesOf = ({ process: { pid = 0 } }: TestStack): readonly number[] =>
  descendants(pid).filter((each) => commandLine(each).includes('/services/'))

async function storedIds(stack: TestStack): Promise<ReadonlySet<string>> {
  const sql = `SELECT message_id FROM snapshots_v1 WHERE outcome = 'stored'`
  const rows = await stack.store.query.rows<{ message_id: string }>(sql).catch(() => [])
  return new Set(rows.map(({ message_id: id }) => id))
}

const logs = (directory: string): string =>
  readdirSync(join(directory, 'logs'))
    .map((name) => readFileSync(join(directory, 'logs', name), 'utf8'))
    .join('\n')

it('a stack whose disk is full waits, says so, goes on by itself when there is room, and has lost nothing', async (context) => {
  const directory = await mkdtemp(join(tmpdir(), 'strikeflow-full-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const unmount = mountTmpfs(directory, 'size=400m')
  if (unmount === null) return context.skip('a file system cannot be mounted here')
  onTestFinished(unmount)
  const stack = await startTestStack({
    dataDirectory: directory,
    env: {
      COLLECTOR_SIM_UNDERLYINGS: '5',
      COLLECTOR_SIM_CONTRACTS: '500',
      STANDALONE_SPEED: '60',
      ARCHIVER_FILE_SECONDS: '2',
      ARCHIVER_MIN_FREE_MEBIBYTES: '0',
    },
  })
  onTestFinished(async () => void (await stack.stop()))
  using ballast = new Ballast(directory)
  const { publish, acknowledged } = await journal(stack)
  await waitFor('rows', async () => (await publish()) && (await storedIds(stack)).size > 20)
  const services = servicesOf(stack)
  expect(services).toHaveLength(6)

  await waitFor('NATS to take nothing more, and the supervisor to say why', async () => {
    ballast.fill()
    return !(await publish()) && stack.output().includes('DISK FULL')
  })
  // Long enough for every service to have met it: the exporter and the archiver write only now and then.
  await waitFor(
    'the archiver and the exporter to meet the full disk',
    () => {
      ballast.fill()
      const text = stack.output()
      return (text.match(/DISK FULL/g)?.length ?? 0) >= 4
    },
    { intervalMs: 500 },
  )
  expect(servicesOf(stack)).toEqual(services)

  const before = { acknowledged: acknowledged.length, stored: (await storedIds(stack)).size }
  ballast[Symbol.dispose]()
  const exported = join(directory, 'exports', 'chains.json')
  const { mtimeMs } = await stat(exported)
  await waitFor('chains to be acknowledged again', () => publish())
  await waitFor('the market to go on', async () => (await storedIds(stack)).size > before.stored + 20)
  await waitFor('every acknowledged chain to be stored', async () => {
    const stored = await storedIds(stack)
    return acknowledged.every((id) => stored.has(id))
  })
  await waitFor('a newer document', async () => (await stat(exported)).mtimeMs > mtimeMs)
  await waitFor('the logs to say that lines are missing', () => logs(directory).includes('log lines are missing'))
  expect(servicesOf(stack)).toEqual(services)
  expect(acknowledged.length).toBeGreaterThan(before.acknowledged)
  expect(await strikeflow(['verify', '--commits', '--data', directory])).toMatchObject({ code: 0 })
  expect(await stack.stop()).toBe(0)
  expect(await strikeflow(['archive', 'verify', '--data', directory])).toMatchObject({ code: 0 })
})
