import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ownDataDirectory } from './data-owner.ts'

let dataDir = ''
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'strikeflow-owner-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const ownerFile = (): string => join(dataDir, 'owner.json')

test('names the living process that has the directory', () => {
  using owner = ownDataDirectory(dataDir)
  expect(owner).toBeDefined()
  expect(() => ownDataDirectory(dataDir)).toThrow(`belongs to the running process ${process.pid}`)
})

test('leaves the directory free when it is released', () => {
  ownDataDirectory(dataDir)[Symbol.dispose]()
  expect(existsSync(ownerFile())).toBe(false)
})

test('takes over from a process that was killed', () => {
  const { pid } = spawnSync('true')
  writeFileSync(ownerFile(), JSON.stringify({ pid, startedTicks: '1' }))
  using owner = ownDataDirectory(dataDir)
  expect(owner).toBeDefined()
  expect(JSON.parse(readFileSync(ownerFile(), 'utf8'))).toMatchObject({ pid: process.pid })
})

test('takes over from a killed process whose pid another process has by now', () => {
  writeFileSync(ownerFile(), JSON.stringify({ pid: process.pid, startedTicks: '1' }))
  using owner = ownDataDirectory(dataDir)
  expect(owner).toBeDefined()
  expect(JSON.parse(readFileSync(ownerFile(), 'utf8'))).not.toMatchObject({ startedTicks: '1' })
})

test('takes over an owner file that a crash cut short', () => {
  writeFileSync(ownerFile(), '{"pid":')
  using owner = ownDataDirectory(dataDir)
  expect(owner).toBeDefined()
  expect(JSON.parse(readFileSync(ownerFile(), 'utf8'))).toMatchObject({ pid: process.pid })
})
