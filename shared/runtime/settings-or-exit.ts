import { StrikeflowError } from '../model/errors.ts'

/** Exit code for settings that cannot work: starting again does not help. */
export const configExitCode = 2

/** True for an error that is a person's setting, to be told in words and without a stack. */
export const isConfigError = (error: unknown): error is StrikeflowError =>
  error instanceof StrikeflowError && error.code === 'config'

/**
 * Returns what `read` gives; ends the process with one plain line when a setting is wrong. For the first lines of a
 * `main.ts`, before there is a logger.
 */
export function settingsOrExit<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!isConfigError(error)) throw error
    process.stderr.write(`strikeflow: ${error.message}\n`)
    process.exit(configExitCode)
  }
}
