import { expect, it } from 'vitest'
import { startTestNats } from '../../tests/support/nats.ts'
import { agreeOnPartitions } from './partition-count.ts'
import { ensureStreams } from './streams.ts'

it('keeps the number of partitions of whoever comes first, and refuses another one with both', async () => {
  await using nats = await startTestNats()
  const bus = await nats.connect()
  await ensureStreams(bus, 'embedded')
  await Promise.all([1, 2, 3].map(() => agreeOnPartitions(bus, 16, 'PROCESSOR_PARTITIONS')))
  await expect(agreeOnPartitions(bus, 32, 'COLLECTOR_PARTITIONS')).rejects.toMatchObject({
    code: 'config',
    message: expect.stringMatching(
      /^COLLECTOR_PARTITIONS is 32, but CHAINS on this server has 16 partitions: .*delete/,
    ),
  })
})
