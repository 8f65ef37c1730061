import { defineConfig } from 'vitest/config'

/** Limits only end a test whose condition never comes: they are long enough for a machine that has other work. */
const expect = { poll: { timeout: 60_000 } } as const
const shared = {
  environment: 'node',
  testTimeout: 120_000,
  hookTimeout: 120_000,
  expect,
} as const

/**
 * The projects, cheapest first. `npm test` runs `unit`, `simulation`, `integration`, `smoke` and `e2e`; `npm run test:faults` runs
 * `faults`; `npm run test:deep` runs `unit` and `deep` at full size. CONTRIBUTING.md says what each protects and how long it takes.
 * Every server of a test has a free port and a directory of its own, so files may run side by side. Files of `e2e` start whole stacks
 * of eight processes and run one after another.
 */
export default defineConfig({
  test: {
    reporters: ['default', './tests/support/closing-line.ts'],
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          setupFiles: ['./tests/support/property-size.ts'],
          include: [
            'shared/**/*.test.ts',
            'services/**/*.test.ts',
            'scripts/**/*.test.ts',
            'tests/*.test.ts',
            'tests/support/**/*.test.ts',
            'tests/torture/**/*.test.ts',
          ],
          exclude: ['**/*.integration.test.ts', '**/*.deep.test.ts', '**/node_modules/**'],
          sequence: { groupOrder: 0 },
          isolate: false,
        },
      },
      {
        test: {
          ...shared,
          name: 'simulation',
          include: ['tests/simulation/**/*.test.ts'],
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'integration',
          include: [
            'services/**/*.integration.test.ts',
            'shared/**/*.integration.test.ts',
            'tests/integration/**/*.test.ts',
          ],
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'smoke',
          include: ['tests/smoke/**/*.test.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 240_000,
          hookTimeout: 240_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          sequence: { groupOrder: 3 },
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'faults',
          include: ['tests/faults/**/*.test.ts'],
          sequence: { groupOrder: 4 },
          testTimeout: 600_000,
          hookTimeout: 600_000,
        },
      },
      {
        test: {
          ...shared,
          name: 'deep',
          setupFiles: ['./tests/support/property-size.ts'],
          include: ['shared/**/*.deep.test.ts', 'services/**/*.deep.test.ts', 'scripts/**/*.deep.test.ts'],
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
})
