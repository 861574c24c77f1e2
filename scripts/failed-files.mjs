import {appendFileSync} from 'node:fs';
import process from 'node:process';

/** A reporter for `node --test`: appends the file of every failed test to $FAILED_FILES, at once. */
export default async function* failedFiles(source) {
	for await (const {type, data} of source) {
		if (type === 'test:fail' && data.file) {
			appendFileSync(process.env.FAILED_FILES, `${data.file}\n`);
		}
	}
}
