/** True in `npm run test:deep`, where slow tests have their full size. */
export const isDeep = process.env['STRIKEFLOW_TEST_SIZE'] === 'deep'

/** Size of a slow test: a small one in `npm test`, the full one in `npm run test:deep`. */
export const sizedTest = (small: number, full: number): number => (isDeep ? full : small)
