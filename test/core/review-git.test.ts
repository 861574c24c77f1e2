import assert from 'node:assert/strict';
import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import path from 'node:path';
import {test} from 'node:test';
import {parseDiff, type DiffFile} from '../../source/core/review/diff.ts';

/* What is read of a diff, against git itself: names, counts, and every byte of what was changed. */

/** Numbers below a limit that are the same in each run of the test. */
function numbers(seed: number): (limit: number) => number {
	let state = seed;
	return limit => {
		state = (state * 48_271) % 2_147_483_647;
		return state % limit;
	};
}

/** The text of a file after its change: its hunks in the place of the lines that they name. */
function apply(before: string, file: DiffFile): string {
	const lines = before.split(/(?<=\n)/);
	const result: string[] = [];
	let at = 0;
	for (const line of file.hunks.flatMap(hunk => hunk.lines)) {
		for (; line.old !== undefined && at < line.old - 1; at++) {
			result.push(lines[at]!);
		}

		if (line.old !== undefined) {
			const own = `${line.raw ?? line.text}${line.cr ? '\r' : ''}${line.open ? '' : '\n'}`;
			assert.equal(own, lines[at], 'a line that is there before');
			at++;
		}

		if (line.new !== undefined) {
			for (; result.length < line.new - 1 && at < lines.length; at++) {
				result.push(lines[at]!);
			}

			result.push(`${line.raw ?? line.text}${line.cr ? '\r' : ''}${line.open ? '' : '\n'}`);
		}
	}

	return [...result, ...lines.slice(at)].join('');
}

test('names, counts and bytes are those of git, with tabs, carriage returns, open ends and renamed files', t => {
	const folder = mkdtempSync(path.join(tmpdir(), 'fleet-diff-'));
	t.after(() => rmSync(folder, {recursive: true, force: true}));
	const git = (...argv: string[]) =>
		execFileSync('git', ['-c', 'user.name=x', '-c', 'user.email=x@x.invalid', '-c', 'core.autocrlf=false', ...argv], {
			cwd: folder,
			encoding: 'utf8',
		});
	git('init', '--quiet');
	const next = numbers(7);
	const names = ['a', 'b c', 'd\te', 'ü', 'f"g', 'h\\i', '--j', 'k\nl'];
	const line = () =>
		`${['', '\t', '  ', ' \t', '\t\t'][next(5)]!}${['x', 'y = 1;', '-- sql', '++ more', '@@ -1 +1 @@', '\\ No', ''][next(7)]!}` +
		`${next(40)}${['', ' ', '\t', '  '][next(4)]!}${next(5) === 0 ? '\r' : ''}`;
	const text = (lines: readonly string[]) => lines.join('\n') + (next(3) === 0 || lines.length === 0 ? '' : '\n');
	let contents = new Map<string, string>();
	for (let round = 0; round < 30; round++) {
		const before = contents;
		contents = new Map();
		for (const name of names) {
			const old = before.get(name)?.split('\n');
			const lines =
				old && next(4) > 0 ? old.filter(() => next(9) > 0).map(own => (next(6) === 0 ? line() : own)) : undefined;
			const body = text(lines ?? Array.from({length: next(30)}, line));
			rmSync(path.join(folder, name), {force: true});
			if (next(5) === 0) {
				continue;
			}

			writeFileSync(path.join(folder, name), body);
			contents.set(name, body);
		}

		// A name that is free takes the place of another.
		const [from, to] = [names[next(names.length)]!, `moved ${round}`];
		if (contents.has(from)) {
			mkdirSync(path.join(folder, 'to'), {recursive: true});
			renameSync(path.join(folder, from), path.join(folder, 'to', to));
			contents.set(`to/${to}`, contents.get(from)!);
			contents.delete(from);
		}

		git('add', '--all');
		git('commit', '--quiet', '--allow-empty', '--message=x');
		if (round === 0) {
			continue;
		}

		for (const name of before.keys()) {
			if (name.startsWith('to/') && !contents.has(name)) {
				contents.set(name, before.get(name)!);
			}
		}

		const files = parseDiff(git('diff', '--find-renames=40%', '--full-index', 'HEAD^', 'HEAD'));
		const counts = git('diff', '--find-renames=40%', '--numstat', '-z', 'HEAD^', 'HEAD').split('\0');
		const wanted: string[] = [];
		for (let at = 0; at < counts.length - 1; at++) {
			const [added, removed, name] = counts[at]!.split('\t', 2).concat(counts[at]!.split('\t').slice(2).join('\t'));
			const isRenamed = name === '';
			wanted.push(
				JSON.stringify([isRenamed ? counts[at + 1] : name, isRenamed ? counts[at + 2] : name, added, removed]),
			);
			at += isRenamed ? 2 : 0;
		}

		assert.deepEqual(
			files.map(file => JSON.stringify([file.oldPath, file.path, String(file.added), String(file.removed)])).toSorted(),
			wanted.toSorted(),
		);
		for (const file of files) {
			const after = file.status === 'deleted' ? '' : contents.get(file.path)!;
			assert.equal(apply(file.status === 'added' ? '' : before.get(file.oldPath)!, file), after, file.path);
		}
	}
});
