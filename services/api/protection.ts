/**
 * Headers of every answer. They are part of each answer's making, because Hono has to build a slower kind of answer when a
 * header is added to it later.
 */
export const protection = {
  'X-Content-Type-Options': 'nosniff',
  // A page that shows an answer in a frame could lay its own content over it.
  'Content-Security-Policy': "frame-ancestors 'none'",
  // Browsers without Sec-Fetch-Site keep a page of another site from embedding an answer.
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const
