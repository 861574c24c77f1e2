import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import {peoplePath} from '../../source/core/people/people.ts';
import type {Fleet} from './fleet.ts';

/** Makes an SSH key without a passphrase. @returns the private key's file */
export function makeKey(folder: string, name: string): string {
	const file = path.join(folder, `key-${name}`);
	execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', file]);
	return file;
}

/** The line of a key's public half. @param file of the private key */
export const publicKey = (file: string): string => readFileSync(`${file}.pub`, 'utf8').trim();

/** A people file. @param people groups and the files of private keys, by name */
export function peopleText(people: Readonly<Record<string, {groups: readonly string[]; keys: readonly string[]}>>) {
	const entries = Object.entries(people).map(([name, {groups, keys}]) => {
		const lines = keys.map(key => JSON.stringify(publicKey(key)));
		return `  ${name}: {groups: [${groups.join(', ')}], keys: [${lines.join(', ')}]}\n`;
	});
	return `people:\n${entries.join('')}`;
}

/** Commits files on the branch that is checked out. */
export function commitFiles(fleet: Fleet, files: Readonly<Record<string, string>>): void {
	for (const [name, text] of Object.entries(files)) {
		mkdirSync(path.dirname(path.join(fleet.project, name)), {recursive: true});
		writeFileSync(path.join(fleet.project, name), text);
	}

	fleet.git('add', ...Object.keys(files));
	fleet.git('commit', '--quiet', '--message=a change');
}

/** Commits who decides. */
export function commitPeople(fleet: Fleet, people: Parameters<typeof peopleText>[0]): void {
	commitFiles(fleet, {[peoplePath]: peopleText(people)});
}
