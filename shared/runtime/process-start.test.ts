import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { isRunning, ownName, processStart } from './process-start.ts'

describe('the name of a process', () => {
  it('holds as long as the process runs', async () => {
    expect(isRunning(ownName())).toBe(true)
    const child = spawn('sleep', ['60'])
    await once(child, 'spawn')
    const name = { pid: child.pid ?? 0, start: processStart(child.pid ?? 0) }
    expect(isRunning(name)).toBe(true)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isRunning(name)).toBe(false)
  })

  it('is not that of a later process with the same number', () => {
    expect(isRunning({ pid: process.pid, start: 'another time' })).toBe(false)
  })
})
