import {execFileSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {signersText} from '../../source/core/people/people.ts';
import {envelopeWord, signedText} from '../../source/core/statement/envelope.ts';
import type {Decision} from '../../source/core/statement/decision.ts';
import {statementText, type Statement} from '../../source/core/statement/statement.ts';
import {makeKey, peopleText, publicKey} from './people.ts';

/* Histories made by hand, with real git and real keys: as fleet makes them, or as somebody forges them. */

/** Files by their paths. */
export type Content = Readonly<Record<string, string>>;

export const start = Date.parse('2026-05-01T12:00:00Z');
export const hour = 3_600_000;

/** Who has keys, and is in which groups. */
const everybody = {ada: ['owners', 'maintainers'], bo: ['maintainers'], di: ['maintainers'], cy: [], eve: []} as const;
export type Name = keyof typeof everybody;

/** What a signature is about, and by whose key. */
type About = Partial<Statement> & {
	readonly base: string;
	readonly head: string;
	readonly tree: string;
	readonly key?: string;
	readonly namespace?: string;
};

export class HandMade {
	readonly folder = mkdtempSync(path.join(realpathSync(os.tmpdir()), 'fleet-history-'));
	readonly repository = path.join(this.folder, 'repository.git');
	readonly #keys = new Map<string, string>();
	#clock = start;

	constructor(test: {after(work: () => void): void}, format: 'sha1' | 'sha256' = 'sha1') {
		test.after(() => rmSync(this.folder, {recursive: true, force: true}));
		mkdirSync(path.join(this.folder, 'keys'));
		execFileSync(
			'git',
			['init', '--quiet', '--bare', `--object-format=${format}`, '--initial-branch=main', this.repository],
			{
				env: this.env(),
			},
		);
	}

	/** @param more variables */
	env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
		return {
			PATH: `${path.dirname(process.execPath)}:${process.env['PATH']}`,
			HOME: this.folder,
			LC_ALL: 'C',
			GIT_CONFIG_NOSYSTEM: '1',
			...more,
		};
	}

	git(argv: readonly string[], options: {input?: string; env?: Record<string, string>; folder?: string} = {}): string {
		return execFileSync('git', ['-C', options.folder ?? this.repository, ...argv], {
			env: this.env(options.env),
			input: options.input ?? '',
			encoding: 'utf8',
			stdio: ['pipe', 'pipe', 'pipe'],
		}).trim();
	}

	/** The file of somebody's key, made once. */
	key(name: string): string {
		const file = this.#keys.get(name) ?? makeKey(path.join(this.folder, 'keys'), name);
		this.#keys.set(name, file);
		return file;
	}

	/** A people file of these, with their groups and keys. */
	people(...names: readonly Name[]): string {
		return peopleText(Object.fromEntries(names.map(name => [name, {groups: everybody[name], keys: [this.key(name)]}])));
	}

	/** A list of signers as `ssh-keygen` reads it. */
	signers(...names: readonly string[]): string {
		return signersText(
			names.map(name => ({name, groups: [], keys: [publicKey(this.key(name)).split(' ').slice(0, 2).join(' ')]})),
			['fleet-approval'],
		);
	}

	tree(content: Content): string {
		const env = {GIT_INDEX_FILE: path.join(this.folder, 'index')};
		rmSync(env.GIT_INDEX_FILE, {force: true});
		const lines = Object.entries(content).map(([name, text]) => {
			const blob = this.git(['hash-object', '-w', '--stdin'], {input: text});
			return `100644 ${blob}\t${name}\n`;
		});
		this.git(['update-index', '--add', '--index-info'], {env, input: lines.join('')});
		return this.git(['write-tree'], {env});
	}

	/** Makes a commit. @param options.key signs it @param options.at milliseconds; one minute after the last without it */
	commit(
		content: Content | string,
		parents: readonly string[],
		options: {message?: string; email?: string; at?: number; key?: string} = {},
	): string {
		const {message = 'a change', email = 'ada@example.invalid', at = (this.#clock += 60_000), key} = options;
		const date = `@${Math.floor(at / 1000)} +0000`;
		return this.git(
			[
				...(key === undefined ? [] : ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`]),
				'commit-tree',
				typeof content === 'string' ? content : this.tree(content),
				...parents.flatMap(parent => ['-p', parent]),
				...(key === undefined ? [] : ['-S']),
				'-F',
				'-',
			],
			{
				input: message,
				env: {
					GIT_AUTHOR_NAME: 'Somebody',
					GIT_AUTHOR_EMAIL: email,
					GIT_AUTHOR_DATE: date,
					GIT_COMMITTER_NAME: 'Somebody',
					GIT_COMMITTER_EMAIL: 'ada@example.invalid',
					GIT_COMMITTER_DATE: date,
				},
			},
		);
	}

	treeOf(commit: string): string {
		return this.git(['rev-parse', `${commit}^{tree}`]);
	}

	/** The object name of a file in a commit, or `none`. */
	blob(commit: string, file: string): string {
		try {
			return this.git(['rev-parse', '--verify', '--quiet', `${commit}:${file}`]);
		} catch {
			return 'none';
		}
	}

	/** A statement, signed by a real key. `rules`: the commit whose files say who decides; the base without it. */
	word(decision: Decision, by: Name, {key, namespace = 'fleet-approval', ...about}: About, rules = about.base): string {
		const payload = statementText({
			decision,
			run: 'fix-1',
			target: 'refs/heads/main',
			policy: this.blob(rules, '.fleet/policy.yaml'),
			people: this.blob(rules, '.fleet/people.yaml'),
			verify: 'v'.repeat(10),
			audit: 'none',
			because: 'read it',
			viewed: '',
			requester: 'cy',
			by,
			at: new Date(start - hour).toISOString(),
			until: new Date(start + 20 * hour).toISOString(),
			nonce: 'n',
			...about,
		});
		const signature = execFileSync('ssh-keygen', ['-q', '-Y', 'sign', '-n', namespace, '-f', key ?? this.key(by)], {
			input: signedText(payload),
			encoding: 'utf8',
			stdio: ['pipe', 'pipe', 'ignore'],
		});
		return envelopeWord({payload, signature});
	}

	/** What a merge by fleet says. */
	message(words: readonly string[], {run = 'fix-1', reviewers = ['bo'], more = ''} = {}): string {
		return [
			`Merge run ${run}`,
			'',
			'Co-authored-by: fleet agent <agent@fleet.invalid>',
			`Fleet-Run: ${run}`,
			'Fleet-Agent: command',
			'Requested-by: cy',
			...reviewers.map(name => `Reviewed-by: ${name}`),
			...words.map(word => `Fleet-Statement: ${word}`),
			`Fleet-Verify: ${'v'.repeat(10)}`,
			...(more === '' ? [] : [more]),
			'',
		].join('\n');
	}

	/** Puts a statement on each line of the note on an object. */
	note(on: string, words: readonly string[]): void {
		this.git(
			['-c', 'user.name=x', '-c', 'user.email=x@x.invalid', 'notes', '--ref=fleet', 'add', '-f', '-F', '-', on],
			{
				input: words.join('\n'),
			},
		);
	}

	/** Writes a file into the bare repository itself. */
	write(name: string, text: string, mode = 0o644): void {
		mkdirSync(path.dirname(path.join(this.repository, name)), {recursive: true});
		writeFileSync(path.join(this.repository, name), text, {mode});
	}
}
