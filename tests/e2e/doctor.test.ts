import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { connectBus } from '../../shared/bus/connect.ts'
import { silentLog } from '../support/nats.ts'
import { startTestStack, storeOnly, strikeflow } from '../support/stack.ts'

interface Answer {
  readonly ok: boolean
  readonly findings: readonly { readonly check: string; readonly status: string; readonly found: string }[]
}

const answerOf = (stdout: string): Answer => JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Answer

describe('strikeflow doctor', () => {
  it('looks at the running stack, and ends with 1 once something is wrong with it', async () => {
    await using stack = await startTestStack({ env: storeOnly })
    const doctor = ['doctor', '--data', stack.dataDirectory, '--json']
    const healthy = await strikeflow(doctor)
    expect(answerOf(healthy.stdout)).toMatchObject({ ok: true })
    expect(healthy.code).toBe(0)
    const { findings } = answerOf(healthy.stdout)
    expect(findings.filter(({ found }) => found.includes('of the running stack')).length).toBeGreaterThanOrEqual(2)
    expect(findings.find(({ check }) => check === 'nats fsync')).toMatchObject({ status: 'ok' })
    {
      await using bus = await connectBus({ ...stack.bus, name: 'test', log: silentLog })
      await bus.jsm.streams.delete('QUALITY')
    }
    await stack.store.command('DROP TABLE scans_v1')
    await stack.store.command('TRUNCATE TABLE schema_migrations')
    const ill = await strikeflow(doctor)
    expect(ill.code).toBe(1)
    const wrong = answerOf(ill.stdout).findings.filter(({ status }) => status === 'fail' || status === 'warn')
    expect(wrong.map(({ check }) => check)).toEqual(expect.arrayContaining(['streams', 'schema']))
  })

  it('works before anything was started', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'strikeflow-doctor-'))
    const { code, stdout } = await strikeflow(['doctor', '--data', directory], { COLLECTOR_INTERVALL_MS: '1' })
    expect(code).toBe(1)
    expect(stdout).toMatch(/fail +settings +no service knows COLLECTOR_INTERVALL_MS/)
    expect(stdout).toMatch(/left out +clickhouse/)
    await rm(directory, { recursive: true })
  })
})
