import {execFileSync} from 'node:child_process';
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import path from 'node:path';
import type {TestContext} from 'node:test';
import {Fleet} from './fleet.ts';

/** A person with an SSH key, at a machine of their own: a home, fleet, and a clone of the project. */
export class Teammate extends Fleet {
	readonly name: string;
	readonly key: string;

	constructor(test: Pick<TestContext, 'after'>, name: string) {
		super(test, {add: false});
		this.name = name;
		this.key = path.join(this.home, 'key');
		execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', this.key]);
		this.git('config', '--global', 'user.signingKey', this.key);
	}

	/** The public key, as a people file has it. */
	get publicKey(): string {
		return readFileSync(`${this.key}.pub`, 'utf8').trim();
	}

	/** Has the clone be what the remote has, and adds the project. */
	clone(remote: string): void {
		this.git('remote', 'add', 'origin', remote);
		this.git('fetch', '--quiet', 'origin');
		this.git('reset', '--quiet', '--hard', 'origin/main');
		this.must('project', 'add', '--yes');
	}

	/** Commits files on main, and pushes that. */
	commit(message: string, files: Record<string, string>): void {
		for (const [name, content] of Object.entries(files)) {
			mkdirSync(path.dirname(path.join(this.project, name)), {recursive: true});
			writeFileSync(path.join(this.project, name), content);
		}

		this.git('add', '--all');
		this.git('commit', '--quiet', '-m', message);
	}
}

/** A people file. @param people with the groups that each is in */
export function peopleFile(people: ReadonlyArray<readonly [Teammate, ...groups: string[]]>): string {
	return `people:\n${people
		.map(
			([{name, publicKey}, ...groups]) =>
				`  ${name}:\n    keys: ["${publicKey}"]\n    groups: [${groups.join(', ')}]\n`,
		)
		.join('')}`;
}

/** A bare repository that all of them have as their remote, with what the first has on main. */
export function shared(first: Teammate, others: readonly Teammate[]): string {
	const remote = path.join(first.folder, 'remote.git');
	execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote]);
	first.git('push', '--quiet', remote, 'main');
	for (const one of [first, ...others]) {
		one.clone(remote);
	}

	return remote;
}
