import { open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fault } from './faults.ts'
import { lasting } from './scene.ts'

const mebibyte = 1024 * 1024

/** ClickHouse's disk has no room left for a while. Needs a tmpfs of its own, so that nobody else's disk is filled. */
export const diskFull: Fault = {
  kind: 'disk full',
  weight: 1,
  async run({ stack, random, over }, targets, strikes) {
    const { smallDisk } = stack
    if (smallDisk === null || targets.free('clickhouse').length === 0) return
    const ballast = join(smallDisk, 'ballast')
    strikes(smallDisk)
    try {
      await fill(ballast, smallDisk)
      await lasting(random.between(500, 3_000), over)
    } finally {
      await rm(ballast, { force: true })
    }
  },
}

async function fill(path: string, disk: string): Promise<void> {
  await using file = await open(path, 'w')
  const block = Buffer.alloc(4 * mebibyte)
  const { bavail, bsize } = await statfs(disk)
  for (let left = bavail * bsize; left > 0; left -= block.length) {
    try {
      await file.write(block)
    } catch {
      return
    }
  }
}
