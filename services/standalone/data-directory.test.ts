import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writableDirectory } from './data-directory.ts'

const file = import.meta.filename

it.each(['/proc/nowhere/deep', join(file, 'below'), file])(
  'refuses %s, where nothing can be made, and says so',
  (path) => {
    expect(() => writableDirectory(path)).toThrow(`Cannot write to ${path}`)
  },
)
