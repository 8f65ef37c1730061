import { execFile } from 'node:child_process'
import { constants } from 'node:os'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority
const script = `
  const { getPriority, setPriority } = await import('node:os')
  const { stepBack } = await import(${JSON.stringify(new URL('priority.ts', import.meta.url).href)})
  setPriority(Number(process.argv[1]))
  // As a user who may not go up again.
  if (process.getuid() === 0) process.setuid(65534)
  stepBack()
  console.log(getPriority())`

it.each([
  [0, PRIORITY_BELOW_NORMAL],
  [5, 15],
  [15, PRIORITY_LOW],
  [19, PRIORITY_LOW],
])('begun at nice %d goes to %d', async (begunAt, expected) => {
  const flags = ['--input-type=module', '--eval', script, String(begunAt)]
  const { stdout } = await promisify(execFile)(process.execPath, flags)
  expect(Number(stdout)).toBe(expected)
})
