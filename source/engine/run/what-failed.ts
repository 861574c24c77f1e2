import {closeSync, fstatSync, openSync, readSync} from 'node:fs';
import {gateRefusal} from '../../core/refusal.ts';
import {failurePrompt} from '../../core/run/retry.ts';
import type {Run} from '../../core/run/run.ts';
import {escapeControls} from '../../core/text/escape-controls.ts';
import type {Context} from '../context.ts';
import {checkPrompt} from './check-prompt.ts';

/* What an agent is told of a verification that failed. */

/** Bytes of the end of a verification's log that are read. */
const longestEnd = 64 * 1024;

/**
 * The prompt that says which command failed, and the end of what it wrote.
 * @throws Refusal where no verification failed
 */
export async function whatFailed(context: Context, run: Run): Promise<string> {
	const {verification} = run;
	if (verification?.result !== 'failed') {
		throw gateRefusal(`no verification of ${run.id} failed`, `fleet resume ${run.id} "PROMPT"`);
	}

	const told = (output: string | undefined) => failurePrompt(run, verification, output);
	const whole = told(escapeControls(endOf(context.paths.run(run.id).verifyLog)));
	// What a test printed may look like a credential, or be one: then it goes to no model.
	return checkPrompt(context, whole, {project: run.project}).then(
		() => whole,
		() => told(undefined),
	);
}

/** The end of a file; empty where it cannot be read. */
function endOf(file: string): string {
	try {
		const descriptor = openSync(file, 'r');
		try {
			const {size} = fstatSync(descriptor);
			const bytes = Buffer.alloc(Math.min(size, longestEnd));
			readSync(descriptor, bytes, 0, bytes.length, size - bytes.length);
			return bytes.toString('utf8');
		} finally {
			closeSync(descriptor);
		}
	} catch {
		return '';
	}
}
