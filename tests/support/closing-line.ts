import type { Reporter, TestModule } from 'vitest/node'

/** Closes a run with one plain line, `N passed, N failed, N skipped`, after naming every skipped test with its reason. */
export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0 }
    const skips: string[] = []
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') count.passed += 1
        else if (result.state === 'failed') count.failed += 1
        else {
          count.skipped += 1
          const note = result.state === 'skipped' ? result.note : undefined
          skips.push(`skipped: ${test.fullName}: ${note ?? 'NO REASON GIVEN'}`)
        }
      }
    }
    count.failed += unhandledErrors.length
    const lines = [...skips, `${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`]
    process.stdout.write(`${lines.join('\n')}\n`)
  }
}
