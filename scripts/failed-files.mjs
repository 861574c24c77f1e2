import {appendFileSync} from 'node:fs';
import process from 'node:process';

/**
 * A reporter for `node --test`: appends every test file that failed to $FAILED_FILES, at once. A failed test names the
 * file that it is written in, which several test files may share; the summary of a process names its test file.
 */
export default async function* failedFiles(source) {
	for await (const {type, data} of source) {
		const failed =
			type === 'test:summary' ? data.success === false : type === 'test:fail' && /\.test\.tsx?$/.test(data.file);
		if (failed && data.file) {
			appendFileSync(process.env.FAILED_FILES, `${data.file}\n`);
		}
	}
}
