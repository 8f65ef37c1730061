import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createLogger } from '../../shared/runtime/logger.ts'
import { Ballast } from '../../tests/support/ballast.ts'
import { mountTmpfs } from '../../tests/support/mount.ts'
import { waitFor } from '../../tests/support/wait-for.ts'
import { ServiceLog } from './service-log.ts'

it('a service log leaves out what a full disk does not take, goes on by itself, and says how much is missing', async (context) => {
  const directory = mkdtempSync(join(tmpdir(), 'strikeflow-service-log-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const unmount = mountTmpfs(directory, 'size=256k')
  if (unmount === null) return context.skip('a file system cannot be mounted here')
  onTestFinished(unmount)
  const file = join(directory, 'x.log')
  using log = new ServiceLog(file, createLogger({ service: 'x', level: 'silent' }))
  log.write('first')
  await waitFor('the first line', () => readFileSync(file, { encoding: 'utf8', flag: 'a+' }).includes('first'))
  const ballast = new Ballast(directory)
  ballast.fill()
  await waitFor('lines to be missing', () => {
    log.write('x'.repeat(1000))
    return log.missing > 3
  })
  ballast[Symbol.dispose]()
  await waitFor('the log to go on', () => {
    log.write('after')
    return readFileSync(file, 'utf8').includes('after')
  })
  expect(readFileSync(file, 'utf8')).toMatch(/"lines":\d+,"msg":"log lines are missing/)
  await waitFor('the count to be over', () => log.missing === 0)
})
