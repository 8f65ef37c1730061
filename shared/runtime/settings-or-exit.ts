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
    exitForSetting(error)
  }
}

/** Ends the process with one plain line for a setting that is wrong, and throws any other error. */
export function exitForSetting(error: unknown): never {
  if (!isConfigError(error)) throw error
  process.stderr.write(`strikeflow: ${error.message}\n`)
  process.exit(configExitCode)
}
