import { setTimeout as sleep } from 'node:timers/promises'
import { StrikeflowError } from '../model/errors.ts'
import { openBucket } from './bucket.ts'
import type { Bus } from './connect.ts'

const key = 'partitions'
const tries = 20
const pauseMs = 250

/**
 * Makes sure that all who publish on CHAINS and all who read it mean the same number of partitions: whoever comes first writes it
 * down. With another number, messages would lie where nobody reads, or an underlying would have two owners.
 */
export async function agreeOnPartitions(bus: Bus, partitions: number, setting: string): Promise<void> {
  for (let left = tries; ; left -= 1) {
    try {
      return await agree(bus, partitions, setting)
    } catch (error) {
      if (left === 1 || !(error instanceof StrikeflowError) || !error.retryable) throw error
      await sleep(pauseMs)
    }
  }
}

/** Null while nobody has written it down. */
export async function agreedPartitions(bus: Bus): Promise<number | null> {
  const known = await (await openBucket(bus, 'config')).get(key)
  return known === null ? null : Number(known.value)
}

async function agree(bus: Bus, partitions: number, setting: string): Promise<void> {
  const bucket = await openBucket(bus, 'config')
  const known = await bucket.get(key)
  if (known === null && (await bucket.create(key, partitions)) !== null) return
  const agreed = Number((known ?? (await bucket.get(key)))?.value ?? partitions)
  if (agreed === partitions) return
  throw new StrikeflowError(
    'config',
    `${setting} is ${partitions}, but CHAINS on this server has ${agreed} partitions: set COLLECTOR_PARTITIONS and PROCESSOR_PARTITIONS to ${agreed}. ` +
      `For another number, stop all services, delete the stream CHAINS and the key "${key}" of the bucket "config", and start with the new one everywhere`,
  )
}
