import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {gateRefusal, Refusal} from '../../core/refusal.ts';
import {discover, Git} from '../../host/git.ts';

/*
 * A repository's objects, read through a git folder of our own: its configuration, its hooks, replacements, grafts,
 * what it says of a shallow clone, its commit graph and its promises of other objects are not known there.
 */

/** An object's content. `bytes`: a character for each. */
export type Content = {readonly type: string; readonly bytes: string};

/** How many objects are asked for at once, and how many bytes come back at most. */
const atOnce = 2000;
const mostBytes = 400 * 1024 ** 2;

/** No commit graph: it says of commits what they may not say themselves. */
const plain = ['-c', 'core.commitGraph=false', '-c', 'core.multiPackIndex=false'];

/** Of the repository itself only names are read, and nothing is fetched for that. */
const still = ['-c', 'protocol.file.allow=never', '-c', 'protocol.allow=never', ...plain];

/** Where objects lie: in a hook, those that are pushed are elsewhere. */
function objectPlaces(commonDir: string, isHook: boolean): Record<string, string> {
	const own = path.join(commonDir, 'objects');
	const pushed = isHook ? process.env['GIT_OBJECT_DIRECTORY'] : undefined;
	const others = isHook ? process.env['GIT_ALTERNATE_OBJECT_DIRECTORIES'] : undefined;
	if (pushed === undefined || pushed === '') {
		return {GIT_OBJECT_DIRECTORY: own};
	}

	// As git reads a list in which a folder's name has the sign that stands between.
	const quoted = `"${own.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
	return {
		GIT_OBJECT_DIRECTORY: path.resolve(pushed),
		GIT_ALTERNATE_OBJECT_DIRECTORIES: [quoted, others ?? ''].filter(Boolean).join(':'),
	};
}

/** One repository's objects and names, for as long as they are looked at. */
export class Objects {
	readonly git: Git;
	readonly env: Readonly<Record<string, string>>;
	/** The ref that `HEAD` points to; undefined where it is at a commit of its own. */
	readonly head: string | undefined;
	/** Whether a part of the history was left where it came from. */
	readonly isShallow: boolean;
	readonly #folder: string;
	readonly #repository: Git;
	readonly #names: ReadonlyMap<string, string>;
	#hash: 'sha1' | 'sha256' = 'sha1';

	private constructor(own: {
		folder: string;
		git: Git;
		env: Record<string, string>;
		repository: Git;
		head: string | undefined;
		names: Map<string, string>;
		isShallow: boolean;
	}) {
		this.#folder = own.folder;
		this.git = own.git;
		this.env = own.env;
		this.#repository = own.repository;
		this.head = own.head;
		this.#names = own.names;
		this.isShallow = own.isShallow;
		this.#hash = [...own.names.values()].some(name => name.length === 64) ? 'sha256' : 'sha1';
	}

	/**
	 * Opens a repository to read it.
	 * @param folder of a checkout, or a bare one
	 * @param isHook whether git started this as a hook, whose objects may be in quarantine
	 * @throws Refusal where there is none
	 */
	static async open(folder: string, isHook: boolean): Promise<Objects> {
		const found = await discover(folder);
		if (found instanceof Refusal) {
			throw found;
		}

		const {commonDir, gitDir} = found;
		const repository = new Git({gitDir, own: true});
		const listed = await repository.run([...still, 'for-each-ref', '--format=%(objectname) %(refname)']);
		const names = new Map(
			listed.stdout.split('\n').flatMap(line => {
				const [, object, name] = /^([\da-f]{40,64}) (refs\/(?!replace\/)\S+)$/.exec(line) ?? [];
				return object === undefined ? [] : [[name!, object] as const];
			}),
		);
		const symbolic = await repository.run(['symbolic-ref', '--quiet', 'HEAD']);
		const head = symbolic.code === 0 ? symbolic.stdout.trim() : undefined;
		const detached =
			head === undefined ? await repository.run([...still, 'rev-parse', '--verify', '--quiet', 'HEAD']) : undefined;
		const format = await repository.run(['rev-parse', '--show-object-format']);
		const isSha256 = format.stdout.trim() === 'sha256';
		const own = mkdtempSync(path.join(os.tmpdir(), 'fleet-check-'));
		for (const part of ['objects', 'refs']) {
			mkdirSync(path.join(own, part));
		}

		writeFileSync(
			path.join(own, 'config'),
			`[core]\n\trepositoryformatversion = ${isSha256 ? 1 : 0}\n\tbare = true\n${isSha256 ? '[extensions]\n\tobjectFormat = sha256\n' : ''}`,
		);
		writeFileSync(path.join(own, 'HEAD'), head === undefined ? `${detached!.stdout.trim()}\n` : `ref: ${head}\n`);
		// Sorted as git sorts them, by bytes.
		const packed = [...names].sort(([one], [two]) => Buffer.compare(Buffer.from(one), Buffer.from(two)));
		writeFileSync(
			path.join(own, 'packed-refs'),
			`# pack-refs with: sorted \n${packed.map(([name, object]) => `${object} ${name}\n`).join('')}`,
		);
		const objects = new Objects({
			folder: own,
			git: new Git({gitDir: own, own: true}),
			env: objectPlaces(commonDir, isHook),
			repository,
			head,
			names,
			isShallow: existsSync(path.join(commonDir, 'shallow')),
		});
		objects.#hash = isSha256 ? 'sha256' : 'sha1';
		return objects;
	}

	close(): void {
		rmSync(this.#folder, {recursive: true, force: true});
	}

	/** What a ref names; undefined where there is none. */
	named(ref: string): string | undefined {
		return this.#names.get(ref);
	}

	/** The ref that a symbolic one stands for. */
	async real(ref: string): Promise<string> {
		const {code, stdout} = await this.#repository.run(['symbolic-ref', '--quiet', ref]);
		return code === 0 ? stdout.trim() : ref;
	}

	/** The full name that a short one of a branch means; undefined for what is none. */
	branchOf(name: string): string | undefined {
		return [name, `refs/heads/${name}`, `refs/remotes/${name}`].find(
			ref => this.#names.has(ref) && /^refs\/(?:heads|remotes)\//.test(ref),
		);
	}

	/** @throws Refusal where a revision names no commit */
	async commit(revision: string): Promise<string> {
		const {code, stdout} = await this.git.run(
			[...plain, 'rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`],
			{env: this.env},
		);
		const name = stdout.trim();
		if (code !== 0 || !/^[\da-f]{40,64}$/.test(name)) {
			throw new Refusal(`${revision.slice(0, 100)} names no commit here`, 'git log --first-parent --oneline');
		}

		return name;
	}

	/**
	 * Every commit that a tip has and another has not, in no order that counts.
	 * @returns undefined where one of them is missing
	 */
	async reachable(tip: string, from: string | undefined): Promise<string[] | undefined> {
		const {code, stdout} = await this.git.run(
			[...plain, 'rev-list', tip, ...(from === undefined ? [] : [`^${from}`]), '--'],
			{env: this.env, limit: mostBytes},
		);
		return code === 0 ? stdout.split('\n').filter(line => line !== '') : undefined;
	}

	/**
	 * Reads objects, each by the name that its content makes.
	 * @throws Refusal where one is not what its name says
	 */
	async read(names: readonly string[]): Promise<Map<string, Content>> {
		const all = new Map<string, Content>();
		const asked = [...new Set(names)];
		for (let at = 0; at < asked.length; at += atOnce) {
			await this.#readSome(asked.slice(at, at + atOnce), all);
		}

		return all;
	}

	async #readSome(names: readonly string[], all: Map<string, Content>): Promise<void> {
		const {stdout} = await this.git.run(['cat-file', '--batch', '--buffer'], {
			env: this.env,
			input: `${names.join('\n')}\n`,
			encoding: 'latin1',
			limit: mostBytes,
		});
		let at = 0;
		while (at < stdout.length) {
			const end = stdout.indexOf('\n', at);
			const line = stdout.slice(at, end);
			const [, name, type, length] = /^([\da-f]+) (commit|tree|blob|tag) (\d+)$/.exec(line) ?? [];
			at = end + 1;
			if (name === undefined) {
				if (end === -1) {
					return;
				}

				continue;
			}

			const bytes = stdout.slice(at, at + Number(length));
			at += Number(length) + 1;
			const own = createHash(this.#hash).update(`${type} ${length}\0`).update(bytes, 'latin1').digest('hex');
			if (own !== name) {
				throw gateRefusal(`the object ${name.slice(0, 12)} is not what its name says`, 'git fsck --full');
			}

			all.set(name, {type: type!, bytes});
		}
	}

	/** The name that an object of this repository has. */
	nameOf(type: string, content: string): string {
		const bytes = Buffer.from(content);
		return createHash(this.#hash).update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
	}
}

/** The entries of a tree: names to objects. @param hex characters of an object's name */
export function entriesOf(
	{bytes}: Content,
	hex: number,
): Map<string, {readonly mode: string; readonly object: string}> {
	const entries = new Map<string, {mode: string; object: string}>();
	for (let at = 0; at < bytes.length;) {
		const [space, end] = [bytes.indexOf(' ', at), bytes.indexOf('\0', at)];
		const raw = bytes.slice(end + 1, end + 1 + hex / 2);
		entries.set(bytes.slice(space + 1, end), {
			mode: bytes.slice(at, space),
			object: Buffer.from(raw, 'latin1').toString('hex'),
		});
		at = end + 1 + hex / 2;
	}

	return entries;
}
