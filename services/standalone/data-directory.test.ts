import { expect, it } from 'vitest'
import { writableDirectory } from './data-directory.ts'

it.each(['/proc/nowhere/deep', '/etc/hostname/below'])('refuses %s, where nothing can be made, and says so', (path) => {
  expect(() => writableDirectory(path)).toThrow(`Cannot write to ${path}`)
})
