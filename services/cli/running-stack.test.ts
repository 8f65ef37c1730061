import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { strikeflow } from '../../tests/support/stack.ts'
import { whereToLook } from './running-stack.ts'

async function dataDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'strikeflow-running-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  return directory
}

describe('whereToLook', () => {
  it('names the data directory on which no stack runs', async () => {
    const directory = await dataDirectory()
    expect(await whereToLook(directory, {})).toContain(`No stack runs on ${directory}`)
  })

  it('says nothing where the environment names the server', async () => {
    const directory = await dataDirectory()
    expect(await whereToLook(directory, { CLICKHOUSE_URL: 'http://127.0.0.1:1' })).toBeNull()
  })

  it.each(['gaps', 'verify --commits'])(
    'lets `%s` end with 5 where the server is away: nothing is known',
    async (typed) => {
      const env = { CLICKHOUSE_URL: 'http://127.0.0.1:1' }
      const { code, stderr } = await strikeflow([...typed.split(' '), '--data', await dataDirectory()], env)
      expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringContaining('did not answer') as string })
    },
  )
})
