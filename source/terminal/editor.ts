import {spawn} from 'node:child_process';
import {mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {splitWords} from '../core/text/shell-words.ts';
import {Refusal} from '../core/refusal.ts';

/**
 * Opens a file in a person's own program, and waits for its end.
 * @param command a command line, such as `code --wait`
 * @throws Refusal where it cannot be started
 */
export async function runEditor(command: string, file: string): Promise<void> {
	const argv = splitWords(command);
	if (argv instanceof Refusal || argv.length === 0) {
		throw new Refusal(`"${command}" is not a command line`, 'set $PAGER, and $VISUAL or $EDITOR, to a program');
	}

	await new Promise<void>((resolve, reject) => {
		const child = spawn(argv[0]!, [...argv.slice(1), file], {stdio: 'inherit', env: {...process.env, LESSSECURE: '1'}});
		child.once('error', () =>
			reject(
				new Refusal(`there is no program "${argv[0]}" here`, 'set $PAGER, and $VISUAL or $EDITOR, to one that is'),
			),
		);
		child.once('close', () => resolve());
	});
}

/** A text, edited by hand in $VISUAL or $EDITOR. */
export async function editText(text: string): Promise<string> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-prompt-'));
	try {
		const file = path.join(folder, 'PROMPT.md');
		writeFileSync(file, text, {mode: 0o600});
		await runEditor(process.env['VISUAL'] || process.env['EDITOR'] || 'vi', file);
		return readFileSync(file, 'utf8');
	} finally {
		rmSync(folder, {recursive: true, force: true});
	}
}
