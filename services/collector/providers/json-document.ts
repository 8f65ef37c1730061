import { type FetchRefusal, refused } from './provider.ts'

/** Parses a document, or says which way it is none: another kind of text, cut off, or broken inside (a bare NaN for one). */
export function parseJsonDocument(text: string): { readonly document: unknown } | FetchRefusal {
  const trimmed = text.trim()
  if (trimmed === '') return refused('not_json', 'empty body')
  const first = trimmed[0] as string
  if (first !== '{' && first !== '[') return refused('not_json', first === '<' ? 'markup' : 'text')
  try {
    return { document: JSON.parse(trimmed) as unknown }
  } catch (cause) {
    const closes = trimmed.endsWith(first === '{' ? '}' : ']')
    return closes
      ? refused('malformed', plainReason(cause))
      : refused('truncated', `ends after ${text.length} characters`)
  }
}

/** The engine quotes a piece of the payload behind the reason; payloads stay out of logs. */
const plainReason = (cause: unknown): string => (cause as Error).message.replace(/, .*$/s, '')
