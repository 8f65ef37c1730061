import { expect, it } from 'vitest'
import { busFindings } from '../../services/cli/doctor/servers.ts'
import { compareVersions } from '../../services/cli/doctor/versions.ts'
import { inspectBus } from '../../shared/bus/inspect.ts'
import { streamInfo } from '../../shared/bus/streams.ts'
import { checksums } from '../support/checksum.ts'
import { chainMessages, openStage, waitForCommits } from '../support/delivery-stage.ts'
import { startTestCluster, type TestCluster } from '../support/nats-cluster.ts'
import { findNatsServers } from '../support/nats-servers.ts'
import { waitFor } from '../support/wait-for.ts'

const oldest = '2.12.0'
const newest = (await findNatsServers()).at(-1)
const messages = chainMessages(24, 30)

const howTo = 'node scripts/bring-nats-servers.ts, or STRIKEFLOW_NATS_SERVERS=path,path'

it('a cluster of three loses and doubles nothing when the leader of CHAINS is killed, twice, while a processor works', async (context) => {
  const isThere = newest !== undefined && compareVersions(newest.version, oldest) >= 0
  context.skip(!isThere, `no nats-server ${oldest} or later, found ${newest?.version ?? 'none'}: ${howTo}`)
  const undisturbed = await expectedSums()
  let cluster: TestCluster | undefined
  const startNats = async (): Promise<TestCluster> => (cluster = await startTestCluster(newest?.binary ?? ''))
  await using stage = await openStage({ startNats, replicas: 3 })
  if (cluster === undefined) throw new Error('no cluster')
  const facts = await inspectBus(stage.bus, { profile: 'embedded', replicas: 3, clock: Date.now })
  expect(busFindings(facts, 'embedded').filter(({ status }) => status !== 'ok')).toEqual([])
  expect((await stage.bus.jsm.streams.info('CHAINS')).config.num_replicas).toBe(3)
  await stage.start('one')
  const third = messages.length / 3
  for (const round of [0, 1, 2]) {
    const published = stage.publish(messages.slice(round * third, (round + 1) * third))
    if (round < 2) {
      await waitForCommits(stage, round * third + 40)
      const killed = await cluster.killLeader('CHAINS')
      await published
      await waitForCommits(stage, (round + 1) * third)
      await cluster.nodes.get(killed)?.restart()
      await cluster.healed()
    }
    await published
  }
  await waitForCommits(stage, messages.length)
  expect((await streamInfo(stage.bus, 'CHAINS')).messages).toBe(messages.length)
  expect(await checksums(stage.store.query)).toEqual(undisturbed)
  // Alerts are published at least once, under ids that the stream knows again.
  const alerts = await waitFor('the alerts', async () => (await streamInfo(stage.bus, 'ALERTS')).messages)
  expect(alerts).toBe(undisturbed['alerts_v1']?.rows)
})

/** What one processor on one server makes of them. */
async function expectedSums() {
  await using stage = await openStage()
  await stage.start('alone')
  await stage.publish(messages)
  await waitForCommits(stage, messages.length)
  return await checksums(stage.store.query)
}
