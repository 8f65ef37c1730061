import { expect, test } from 'vitest'
import { exception, fromEngine, statusOf } from './exceptions.ts'

test.each([
  [62, 400],
  [60, 404],
  [81, 404],
  [115, 404],
  [516, 403],
  [194, 401],
  [159, 408],
  [229, 413],
  [48, 501],
  [164, 500],
  [241, 500],
])('answers code %i with status %i, as a ClickHouse server does', (code, status) => {
  expect(statusOf(code)).toBe(status)
})

test('words its own errors as ClickHouse does', () => {
  expect(exception(164, 'No.').message).toBe('Code: 164. DB::Exception: No. (READONLY)')
})

test('takes the wrapping that chdb adds off an error', () => {
  const error = new Error(
    'Code: 73. DB::Exception: Code: 73. DB::Exception: Unknown format nope. (UNKNOWN_FORMAT) (version 26.7.2.1). (UNKNOWN_FORMAT)',
  )
  expect(fromEngine(error)).toMatchObject({
    code: 73,
    message: 'Code: 73. DB::Exception: Unknown format nope. (UNKNOWN_FORMAT)',
  })
})

test('keeps the path of the spooled body out of an error', () => {
  const text =
    'Code: 27. DB::Exception: Cannot parse: (at row 1)\n: (in file/uri /dev/shm/x/body-1): While executing Y. (CANNOT_PARSE)'
  expect(fromEngine(new Error(text)).message).not.toContain('/dev/shm')
})

test('gives an error without a code the code of an unknown one', () => {
  expect(fromEngine(new Error('boom'))).toMatchObject({ code: 1002 })
})
