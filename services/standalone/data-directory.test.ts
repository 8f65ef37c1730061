import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { claimDataDirectory, writableDirectory } from './data-directory.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'strikeflow-place-'))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
})

/** Writes a file below the root, its folders too. */
function put(path: string, text = 'mine'): string {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

const claim = async (fresh: boolean): Promise<void> => (await claimDataDirectory(root, fresh))[Symbol.dispose]()

it.each(['/proc/nowhere/deep', join(import.meta.filename, 'below'), import.meta.filename])(
  'refuses %s, where nothing can be made, and says so',
  (path) => {
    expect(() => writableDirectory(path)).toThrow(`Cannot write to ${path}`)
  },
)

describe('a directory of somebody else', () => {
  it.each([false, true])(
    'is refused before anything is written or deleted in it, what is to be done is said (fresh: %s)',
    async (fresh) => {
      const archived = put('archive/mine.txt')
      const logged = put('logs/mine.log')
      await expect(claim(fresh)).rejects.toThrow(/not of strikeflow.*--data/s)
      expect([archived, logged].map((file) => readFileSync(file, 'utf8'))).toEqual(['mine', 'mine'])
      expect(readdirSync(root).toSorted()).toEqual(['archive', 'logs'])
    },
  )

  it('is not taken for ours by names alone, as long as nothing in them is of a stack', async () => {
    put('nats/store/mine.txt')
    put('clickhouse/owner.json', '{"name":"me"}')
    put('stack.json', '{"services":["web"]}')
    put('.strikeflow', 'notes')
    await expect(claim(true)).rejects.toThrow('not of strikeflow')
    expect(readdirSync(root)).toHaveLength(4)
  })

  it('is refused by the command that starts a stack for the while as well', async () => {
    const { strikeflow } = await import('../../tests/support/stack.ts')
    const recording = put('recording.ndjson')
    const { code, stderr } = await strikeflow(['ingest', recording, '--data', root])
    expect(code).not.toBe(0)
    expect(stderr).toContain('not of strikeflow')
    expect(readdirSync(root)).toEqual(['recording.ndjson'])
  })
})

describe('an empty directory', () => {
  it.each(['lost+found', '.DS_Store'])('may hold %s, which no person put there', async (name) => {
    mkdirSync(join(root, name))
    await claim(true)
    expect(existsSync(join(root, name))).toBe(true)
  })

  it('is marked, and stays ours when it has filled', async () => {
    await claim(false)
    const kept = put('notes.txt')
    await claim(true)
    expect(existsSync(kept)).toBe(true)
  })

  it('goes to one of two that start at the same moment', async () => {
    const outcomes = await Promise.allSettled([claimDataDirectory(root, false), claimDataDirectory(root, true)])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    const [refused] = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(String(refused?.reason)).toContain(`pid ${process.pid}`)
  })
})

describe('a directory of an earlier version, which has no marker', () => {
  it.each([
    ['stack.json', '{"pid":1,"natsUrl":"nats://127.0.0.1:4222","clickhouseUrl":"http://127.0.0.1:8123"}'],
    ['nats/owner.pid', '4711'],
    ['nats/nats-server.conf', 'server_name: "strikeflow"\nhost: "127.0.0.1"'],
    ['clickhouse/owner.json', '{"pid":99999999,"startedTicks":"1"}'],
    ['clickhouse/metadata/strikeflow.sql', 'ATTACH DATABASE'],
    ['archive/2026-12-01/0001-000000000001.json', '{}'],
  ])('is adopted once when %s proves it', async (path, text) => {
    const proof = put(path, text)
    await claim(false)
    rmSync(proof, { force: true })
    await claim(false)
    expect(readFileSync(join(root, '.strikeflow'), 'utf8')).toContain('strikeflow data directory')
  })
})

describe('a fresh start', () => {
  const own = [
    'nats/store/jetstream/a.blk',
    'clickhouse/store/abc/data.bin',
    'exports/alerts.json',
    'exports/.alerts.json.6b8b4567-327b-43c6-b43c-986966334873.tmp',
    'exports/archive/alerts_20261201_030000.json',
    'archive/2026-12-01/0001-000000000001.json',
    'archive/2026-12-01/0001-000000000001-000000000361.de16108d.arrows.zst',
    'logs/processor-2.log',
    'ground-truth.ndjson',
  ]
  const foreign = [
    'photos/a.jpg',
    'archive/mine.txt',
    'archive/2026-12-01/mine.txt',
    'archive/letters/a.txt',
    'exports/mine.json',
    'exports/archive/mine.json',
    'logs/mine.log',
    'nats/mine.txt',
    'clickhouse/mine.txt',
    'secrets/reader',
  ]

  it('deletes what the stack has made and nothing else', async () => {
    await claim(false)
    for (const path of [...own, ...foreign]) put(path)
    await claim(true)
    expect(own.filter((path) => existsSync(join(root, path)))).toEqual([])
    expect(foreign.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  it.each([false, true])(
    'refuses a link under a name of ours, and leaves alone where it leads (fresh: %s)',
    async (fresh) => {
      await claim(false)
      const elsewhere = mkdtempSync(join(tmpdir(), 'strikeflow-elsewhere-'))
      onTestFinished(() => rmSync(elsewhere, { recursive: true, force: true }))
      mkdirSync(join(elsewhere, '2026-12-01'))
      writeFileSync(join(elsewhere, '2026-12-01', '0001-000000000001.json'), 'theirs')
      rmSync(join(root, 'archive'), { recursive: true })
      symlinkSync(elsewhere, join(root, 'archive'))
      await expect(claim(fresh)).rejects.toThrow(`${join(root, 'archive')} is a link to ${elsewhere}`)
      expect(readdirSync(join(elsewhere, '2026-12-01'))).toHaveLength(1)
    },
  )

  it('refuses a log file that is a link, so that nothing is appended elsewhere', async () => {
    await claim(false)
    symlinkSync('/etc/hostname', join(root, 'logs', 'api.log'))
    await expect(claim(false)).rejects.toThrow('api.log is a link')
  })

  it('works where the data directory itself is a link to a directory of ours', async () => {
    await claim(false)
    put('logs/api.log')
    const link = `${root}-link`
    symlinkSync(root, link)
    onTestFinished(() => rmSync(link))
    ;(await claimDataDirectory(link, true))[Symbol.dispose]()
    expect(existsSync(join(root, 'logs', 'api.log'))).toBe(false)
  })
})
