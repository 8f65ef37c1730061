import { defineConfig } from 'vitest/config'

/** A condition that is waited for comes about in its own time on a busy machine; one second, the default, is too short. */
const expect = { poll: { timeout: 15_000 } } as const
const shared = { environment: 'node', testTimeout: 20_000, hookTimeout: 60_000, expect } as const

/**
 * The projects of `npm test`, cheapest first, and `deep`, which takes minutes and runs by `npm run test:deep` only. Those that
 * start servers run one file at a time: two cores, and timings that mean something.
 */
export default defineConfig({
  test: {
    reporters: ['default', './tests/support/closing-line.ts'],
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['shared/**/*.test.ts', 'services/**/*.test.ts', 'tests/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.integration.test.ts', '**/*.deep.test.ts', '**/node_modules/**'],
        },
      },
      {
        test: { ...shared, name: 'simulation', include: ['tests/simulation/**/*.test.ts'] },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          include: [
            'tests/integration/**/*.test.ts',
            'services/**/*.integration.test.ts',
            'shared/**/*.integration.test.ts',
          ],
          fileParallelism: false,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'chaos',
          include: ['tests/chaos/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'torture',
          include: ['tests/torture/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      { test: { ...shared, name: 'deep', include: ['shared/**/*.deep.test.ts'] } },
    ],
  },
})
