import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { generatedDocs } from './generate-docs.ts'

it.each(generatedDocs())('$path is what the sources say (npm run docs)', ({ path, text }) => {
  expect(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')).toBe(text)
})
