import vm from 'node:vm';

/**
 * Does a piece of work that waits for nothing, such as reading a text that a stranger wrote by patterns, for as long as
 * it may take. A timer could not end it, since nothing else runs meanwhile; the engine itself stops it, also in the
 * middle of a pattern.
 * @param work must not be async
 * @returns undefined where its time was up
 */
export function withinTime<Result>(milliseconds: number, work: () => Result): {readonly result: Result} | undefined {
	try {
		return {result: vm.runInNewContext('work()', {work}, {timeout: milliseconds}) as Result};
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
			return undefined;
		}

		throw error;
	}
}
