import { describe, expect, it } from 'vitest'
import { headerNames } from '../../shared/bus/messages.ts'
import { readable } from './readable-message.ts'

const clear = '\u001b[2J\u001b]0;owned\u0007'

describe('a message as a person reads it', () => {
  it('obeys nothing that its subject or its payload say to a terminal', () => {
    const payload = new TextEncoder().encode(`{"message":"${clear}\u202e\nfake line"}`)
    const line = readable({ subject: `alerts.${clear}`, streamSeq: 7, headers: new Map(), payload })
    expect(line).toMatch(/^[ -~]*$/)
    expect(line).toContain(String.raw`fake line`)
  })

  it('says why a snapshot cannot be read, in one printable line', () => {
    const headers = new Map([
      [headerNames.schema, clear],
      [headerNames.contentEncoding, clear],
    ])
    const line = readable({ subject: 'chains.raw.1.test.SPY', streamSeq: 7, headers, payload: new Uint8Array(9) })
    expect(line).toMatch(/^[ -~]*$/)
    expect(line).toContain('9 bytes that cannot be read')
  })
})
