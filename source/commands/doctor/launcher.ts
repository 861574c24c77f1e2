import {accessSync, constants, existsSync, mkdirSync, readFileSync, realpathSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {fileURLToPath} from 'node:url';
import {personRefusal, Refusal} from '../../core/refusal.ts';
import {quoteWord} from '../../core/text/shell-words.ts';
import {homeFolder} from '../../host/person.ts';
import {replaceFile} from '../../host/write.ts';
import {asTyped} from '../../terminal/as-typed.ts';
import {ask} from '../../terminal/ask.ts';
import type {Io} from '../../terminal/program.ts';

/* `fleet` on the search path, for who has a checkout: a script of two lines, offered and never just written. */

/** The program that is to be found, which finds its Node by itself. */
function programFile(): string {
	return path.join(path.dirname(fileURLToPath(import.meta.url)), 'fleet');
}

function contentFor(program: string): string {
	return `#!/bin/sh\nexec ${quoteWord(program)} "$@"\n`;
}

/** The search path of the person's shell, which npm adds folders to. */
function searchPath(): string[] {
	return (process.env['FLEET_PATH'] ?? process.env['PATH'] ?? '').split(path.delimiter);
}

/** Where it may be, the best first: in a person's own folder, or for root in the one for what is not the system's. */
function places(): string[] {
	const home = homeFolder();
	const own = [path.join(home, '.local', 'bin'), path.join(home, 'bin')];
	return process.getuid?.() === 0 ? ['/usr/local/bin', ...own] : own;
}

/** The script that leads to this program, where there is one. */
export function findLauncher(): string | undefined {
	const wanted = contentFor(programFile());
	return places()
		.map(folder => path.join(folder, 'fleet'))
		.find(file => {
			try {
				return readFileSync(file, 'utf8') === wanted;
			} catch {
				// Not there, or somebody else's.
				return false;
			}
		});
}

export function removeLauncher(file: string): void {
	rmSync(file, {force: true});
}

/** What `fleet` is in the person's shell; undefined where it is nothing. */
export function findOnSearchPath(): string | undefined {
	return searchPath()
		.filter(folder => path.isAbsolute(folder) && !folder.endsWith('/node_modules/.bin'))
		.map(folder => path.join(folder, 'fleet'))
		.find(file => {
			try {
				accessSync(file, constants.X_OK);
				return true;
			} catch {
				// access(2) answers no by an error.
				return false;
			}
		});
}

/**
 * Offers to put `fleet` on the search path, and does it.
 * @returns whether it is there now
 * @throws Refusal where there is nobody to ask
 */
export async function offerLauncher(io: Io, yes: boolean): Promise<boolean> {
	const program = programFile();
	const there = findOnSearchPath();
	if (there !== undefined) {
		const isOwn = realpathSync(there) === realpathSync(program) || there === findLauncher();
		io.err(`fleet is on PATH: ${there}${isOwn ? '' : ', which is another one'}\n`);
		return true;
	}

	const known = places().filter(folder => searchPath().includes(folder));
	const folder = known[0] ?? places()[0]!;
	const file = path.join(folder, 'fleet');
	if (existsSync(file) && file !== findLauncher()) {
		throw new Refusal(`${file} is there and is not fleet's`, `look at it, and move it away: mv ${quoteWord(file)} …`);
	}

	if (!yes) {
		if (!io.interactive) {
			throw personRefusal(
				'whether fleet is put on PATH is asked, and there is nobody to ask',
				'fleet doctor --path --yes',
			);
		}

		io.err(
			`your shell does not find fleet by its name yet; a script of two lines changes that\n` +
				`  script ${file}\n  starts ${program}\n`,
		);
		if (!/^(?:y(?:es)?)?$/i.test((await ask('write it? [Y/n] ', false)).trim())) {
			io.err(asTyped('nothing was written; later: fleet doctor --path\n'));
			return false;
		}
	}

	mkdirSync(folder, {recursive: true});
	replaceFile(file, contentFor(program), {mode: 0o755});
	io.err(
		known.length > 0
			? `wrote ${file}: from now on, fleet\n`
			: `wrote ${file}; ${folder} is not on your PATH yet: type this, and add it to ~/.profile\n` +
					`  export PATH="${folder}:$PATH"\n  (in fish: fish_add_path ${folder})\n`,
	);
	return true;
}
