import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, chownSync, lstatSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ensureSecrets, readPasswordFile, readStackSecret, secretFiles } from './secrets.ts'

const isRoot = process.geteuid?.() === 0
const modeOf = (path: string): string => (lstatSync(path).mode & 0o777).toString(8)
const text = (path: string): string => readFileSync(path, 'utf8')
let data = ''

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'strikeflow-secrets-'))
})
afterEach(() => rmSync(data, { recursive: true, force: true }))

describe('ensureSecrets', () => {
  it('makes three different secrets that only their owner can read', async () => {
    const { directory, services, reader, apiWrite, curlReader } = await ensureSecrets(data)
    expect(modeOf(directory)).toBe('700')
    for (const path of [services, reader, apiWrite, curlReader]) expect(modeOf(path)).toBe('600')
    const secrets = [services, reader, apiWrite].map(readStackSecret)
    expect(new Set(secrets).size).toBe(3)
    for (const secret of secrets) expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect((await readdir(directory)).sort()).toEqual(['api-write', 'curl-reader', 'reader', 'services'])
  })

  it('keeps the modes under a generous umask', async () => {
    const before = process.umask(0)
    try {
      const { directory, reader } = await ensureSecrets(data)
      expect([modeOf(directory), modeOf(reader)]).toEqual(['700', '600'])
    } finally {
      process.umask(before)
    }
  })

  it('keeps the secrets that are there', async () => {
    const { services } = await ensureSecrets(data)
    const first = text(services)
    await ensureSecrets(data)
    expect(text(services)).toBe(first)
  })

  it('makes a deleted secret anew, and the curl file follows it', async () => {
    const { reader, services, curlReader } = await ensureSecrets(data)
    const before = { reader: text(reader), services: text(services) }
    await rm(reader)
    await ensureSecrets(data)
    expect(text(reader)).not.toBe(before.reader)
    expect(text(services)).toBe(before.services)
    expect(text(curlReader)).toContain(`user = "reader:${readStackSecret(reader)}"`)
  })

  it('gives several processes that start at once the same secrets, and leaves nothing else behind', async () => {
    const script = `const { ensureSecrets } = await import(${JSON.stringify(join(import.meta.dirname, 'secrets.ts'))})
      await ensureSecrets(${JSON.stringify(data)})
      const { readFileSync } = await import('node:fs')
      for (const name of ['services', 'reader', 'api-write', 'curl-reader'])
        process.stdout.write(readFileSync(${JSON.stringify(join(data, 'secrets'))} + '/' + name, 'utf8'))`
    const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script])
    const outputs = (await Promise.all(Array.from({ length: 5 }, run))).map(({ stdout }) => stdout)
    expect(new Set(outputs).size).toBe(1)
    expect(await readdir(join(data, 'secrets'))).toHaveLength(4)
  })

  it.each([
    ['group can read', 0o640],
    ['everybody can read', 0o604],
    ['group can write', 0o620],
  ])('refuses a secret that %s', async (_, mode) => {
    const { services } = await ensureSecrets(data)
    chmodSync(services, mode)
    const secret = text(services).trim()
    const error = await ensureSecrets(data).catch((reason: unknown) => reason as Error)
    expect(error).toMatchObject({ code: 'config', message: expect.stringContaining(`open to other users`) as string })
    expect((error as Error).message).not.toContain(secret)
  })

  it('refuses a folder that is open to others', async () => {
    await mkdir(join(data, 'secrets'))
    chmodSync(join(data, 'secrets'), 0o755)
    await expect(ensureSecrets(data)).rejects.toThrow('chmod 700')
  })

  it('refuses a folder that is a link', async () => {
    await mkdir(join(data, 'elsewhere'), { mode: 0o700 })
    symlinkSync(join(data, 'elsewhere'), join(data, 'secrets'))
    await expect(ensureSecrets(data)).rejects.toThrow('is not a folder')
    expect(await readdir(join(data, 'elsewhere'))).toEqual([])
  })

  it('refuses a secret that is a link, dangling or not, and writes nothing through it', async () => {
    const { reader } = await ensureSecrets(data)
    const target = join(data, 'target')
    rmSync(reader)
    symlinkSync(target, reader)
    await expect(ensureSecrets(data)).rejects.toThrow('reader is a link')
    expect(await readdir(data)).toEqual(['secrets'])
    writeFileSync(target, `${'x'.repeat(43)}\n`, { mode: 0o600 })
    await expect(ensureSecrets(data)).rejects.toThrow('reader is a link')
  })

  it.each(['', 'short', `${'x'.repeat(43)} y`, 'x'.repeat(5000)])('refuses a file with %j in it', async (content) => {
    const { reader } = await ensureSecrets(data)
    writeFileSync(reader, content)
    await expect(ensureSecrets(data)).rejects.toMatchObject({ code: 'config' })
  })

  it.skipIf(!isRoot)('refuses a secret and a folder of another user', async () => {
    const { reader, directory } = await ensureSecrets(data)
    chownSync(reader, 12_345, 12_345)
    await expect(ensureSecrets(data)).rejects.toThrow('belongs to another user (uid 12345')
    chownSync(reader, 0, 0)
    chownSync(directory, 12_345, 12_345)
    await expect(ensureSecrets(data)).rejects.toThrow('belongs to another user (uid 12345')
  })
})

describe('readStackSecret', () => {
  it('says which file is missing', () => {
    const { services } = secretFiles(data)
    expect(() => readStackSecret(services)).toThrow(`${services} cannot be read (ENOENT)`)
  })

  it('refuses a named pipe at once', async () => {
    const pipe = join(data, 'pipe')
    execFileSync('mkfifo', ['-m', '600', pipe])
    expect(() => readStackSecret(pipe)).toThrow('is not a regular file')
  })
})

describe('readPasswordFile', () => {
  const file = (content: string, mode = 0o600): string => {
    const path = join(data, 'password')
    writeFileSync(path, content)
    chmodSync(path, mode)
    return path
  }

  it('reads one line of any characters', () => {
    expect(readPasswordFile(file('pass word:"é\n'))).toBe('pass word:"é')
  })

  it('follows a link, as a mounted secret is one', () => {
    symlinkSync(file('secret'), join(data, 'link'))
    expect(readPasswordFile(join(data, 'link'))).toBe('secret')
  })

  it('refuses an empty file, several lines, and a file that everybody can read', () => {
    expect(() => readPasswordFile(file(''))).toThrow('one line')
    expect(() => readPasswordFile(file('a\nb'))).toThrow('one line')
    expect(() => readPasswordFile(file('secret', 0o644))).toThrow('open to other users')
  })

  it.skipIf(!isRoot)('lets the group read a file of root, which is how an unprivileged container gets it', () => {
    expect(readPasswordFile(file('secret', 0o640))).toBe('secret')
  })
})
