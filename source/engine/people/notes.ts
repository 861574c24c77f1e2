import {mkdtempSync, rmSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {setTimeout} from 'node:timers/promises';
import type {Run} from '../../core/run/run.ts';
import {isAbout} from '../../core/statement/envelope.ts';
import type {Facts} from '../../core/run/facts.ts';
import type {Git} from '../../host/git.ts';

/*
 * What people signed about a run, as a git note on the tree that it makes. A forge that merges the work by itself writes
 * a commit of its own, without our trailers and with this tree: whoever has the notes can check that, too.
 */

export const notesRef = 'refs/notes/fleet';

/** The signed statements of a note: one on each line. */
export function wordsOf(text: string): string[] {
	return text.split('\n').filter(line => /^[\w+/=]+\.[\w+/=]+$/.test(line));
}

/** Others write notes at the same time; each of them is done soon. */
const tries = 30;

const who = {
	GIT_AUTHOR_NAME: 'fleet',
	GIT_AUTHOR_EMAIL: 'fleet@fleet.invalid',
	GIT_COMMITTER_NAME: 'fleet',
	GIT_COMMITTER_EMAIL: 'fleet@fleet.invalid',
};

/** The place of a note in a tree of notes, which may have folders for the first letters of names. */
async function placeOf(git: Git, notes: string, on: string): Promise<{place: string; blob: string | undefined}> {
	const {stdout} = await git.run(['ls-tree', '-r', '-z', notes]);
	for (const entry of stdout.split('\0')) {
		const [, blob, place] = /^\d+ blob ([\da-f]+)\t([\da-f/]+)$/.exec(entry) ?? [];
		if (place?.replaceAll('/', '') === on) {
			return {place, blob};
		}
	}

	return {place: `${on.slice(0, 2)}/${on.slice(2)}`, blob: undefined};
}

/** @returns the notes with these words on an object; undefined where they are there already */
async function withWords(
	git: Git,
	old: string | undefined,
	{on, words}: {readonly on: string; readonly words: readonly string[]},
): Promise<string | undefined> {
	const {place, blob} =
		old === undefined ? {place: `${on.slice(0, 2)}/${on.slice(2)}`, blob: undefined} : await placeOf(git, old, on);
	const before =
		blob === undefined ? [] : (await git.raw('cat-file', 'blob', blob)).split('\n').filter(line => line !== '');
	const added = words.filter(word => !before.includes(word));
	if (added.length === 0) {
		return undefined;
	}

	const text = `${[...before, ...added].join('\n')}\n`;
	const written = (await git.must(['hash-object', '-w', '--stdin', '--no-filters'], {input: text})).trim();
	const scratch = mkdtempSync(path.join(os.tmpdir(), 'fleet-notes-'));
	try {
		const env = {GIT_INDEX_FILE: path.join(scratch, 'index')};
		await git.must(old === undefined ? ['read-tree', '--empty'] : ['read-tree', old], {env});
		await git.must(['update-index', '--add', '--cacheinfo', `100644,${written},${place}`], {env});
		const tree = (await git.must(['write-tree'], {env})).trim();
		const parents = old === undefined ? [] : ['-p', old];
		return (await git.must(['commit-tree', tree, ...parents, '-m', 'Notes added by fleet'], {env: who})).trim();
	} finally {
		rmSync(scratch, {recursive: true, force: true});
	}
}

/**
 * Adds statements to the note on an object. What is there stays, and is not written twice.
 * @returns whether something was added
 */
export async function addToNote(git: Git, on: string, words: readonly string[]): Promise<boolean> {
	for (let turn = 1; ; turn++) {
		const old = await git.resolve(notesRef);
		const notes = await withWords(git, old, {on, words});
		if (notes === undefined) {
			return false;
		}

		// Only where nobody else added one meanwhile.
		const swap = ['update-ref', '-m', 'fleet: statements', notesRef, notes, old ?? '0'.repeat(notes.length)];
		const {code, stderr} = await git.run(swap);
		if (code === 0) {
			return true;
		}

		if (turn === tries) {
			throw new Error(`git update-ref ${notesRef}: ${stderr.trim()}`);
		}

		await setTimeout(turn * 10 * (0.5 + Math.random()));
	}
}

/**
 * Writes what people signed about a run's work as a note on the tree that it makes; a no to the run belongs to it, too. It
 * is a copy: where it cannot be written, the next approval or merge writes it, and nothing else depends on it here.
 */
export async function noteStatements(
	git: Git,
	{statements}: Pick<Run, 'statements'>,
	facts: Pick<Facts, 'base' | 'head' | 'tree'>,
): Promise<void> {
	const words = statements
		.filter(({word, decision}) => decision === 'reject' || (decision !== 'waive' && isAbout(word, facts)))
		.map(({word}) => word);
	if (words.length > 0) {
		await addToNote(git, facts.tree, words).catch(() => false);
	}
}
