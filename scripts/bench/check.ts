// What `fleet check` costs over a long history, beside git alone and beside a process for each signature.
import {execFileSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import {deflateSync} from 'node:zlib';
import {envelopeWord, signedText} from '../../source/core/statement/envelope.ts';
import {statementText} from '../../source/core/statement/statement.ts';
import {ed25519Signer} from '../../test/support/ssh-sign.ts';
import {median, openTable, report, seconds} from './table.ts';

const length = 10_000;
const program = path.resolve(import.meta.dirname, '..', '..', 'dist', 'fleet.cjs');
const {rows, add} = openTable();
const folder = mkdtempSync(path.join(os.tmpdir(), 'fleet-bench-check-'));
const people = {bo: ed25519Signer(), cy: ed25519Signer()};
const kinds = {commit: 1, tree: 2, blob: 3} as const;

/** Objects for a pack, each once. */
class Pack {
	readonly #parts: Buffer[] = [];
	readonly #known = new Set<string>();

	add(kind: keyof typeof kinds, content: Buffer | string): string {
		const bytes = Buffer.from(content as string);
		const name = createHash('sha1').update(`${kind} ${bytes.length}\0`).update(bytes).digest('hex');
		if (!this.#known.has(name)) {
			this.#known.add(name);
			const header = [(kinds[kind] << 4) | (bytes.length & 15)];
			for (let rest = bytes.length >> 4; rest > 0; rest >>= 7) {
				header[header.length - 1]! |= 0x80;
				header.push(rest & 0x7f);
			}

			this.#parts.push(Buffer.from(header), deflateSync(bytes, {level: 1}));
		}

		return name;
	}

	tree(entries: ReadonlyArray<readonly [mode: string, name: string, object: string]>): string {
		return this.add(
			'tree',
			Buffer.concat(
				entries.map(([mode, name, object]) =>
					Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(object, 'hex')]),
				),
			),
		);
	}

	bytes(): Buffer {
		const header = Buffer.from('PACK\0\0\0\u0002\0\0\0\0', 'latin1');
		header.writeUInt32BE(this.#known.size, 8);
		const all = Buffer.concat([header, ...this.#parts]);
		return Buffer.concat([all, createHash('sha1').update(all).digest()]);
	}
}

/** A history of which each commit of the line, or each tenth one, is a run's merge with two signatures. */
function make(every: number): string {
	const repository = path.join(folder, `every-${every}.git`);
	execFileSync('git', ['init', '--quiet', '--bare', '--initial-branch=main', repository]);
	const pack = new Pack();
	const policy = pack.add('blob', 'verify: [npm test]\n');
	const list = Object.entries(people).map(([name, {line}]) => `  ${name}: {keys: ["${line}"]}\n`);
	const who = pack.add('blob', `people:\n${list.join('')}`);
	const fleet = pack.tree([
		['100644', 'people.yaml', who],
		['100644', 'policy.yaml', policy],
	]);
	// As many entries at the top as a project of some size has.
	const others = Array.from({length: 40}, (_, index) => ['100644', `b${100 + index}`, policy] as const);
	const treeOf = (text: string) =>
		pack.tree([['40000', '.fleet', fleet], ['100644', 'a.txt', pack.add('blob', text)], ...others]);
	const begun = 1_770_000_000;
	const commit = (tree: string, parents: readonly string[], number: number, message: string) => {
		const by = `Somebody <somebody@example.invalid> ${begun + number * 60} +0000`;
		return pack.add(
			'commit',
			`tree ${tree}\n${parents.map(parent => `parent ${parent}\n`).join('')}author ${by}\ncommitter ${by}\n\n${message}\n`,
		);
	};

	let base = commit(treeOf('0'), [], 0, 'start');
	for (let number = 1; number < length; number++) {
		const tree = treeOf(String(number));
		if (number % every > 0) {
			base = commit(tree, [base], number, `a change of number ${number}`);
			continue;
		}

		const head = commit(tree, [base], number, 'work');
		const word = (decision: 'request' | 'approve', by: keyof typeof people) => {
			const payload = statementText({
				decision,
				run: `fix-${number}`,
				target: 'refs/heads/main',
				base,
				head,
				tree,
				policy,
				people: who,
				verify: 'v',
				audit: 'none',
				because: 'read it',
				viewed: '',
				requester: 'cy',
				by,
				at: new Date((begun + number * 60 - 60) * 1000).toISOString(),
				until: new Date((begun + number * 60 + 3600) * 1000).toISOString(),
				nonce: `n${number}`,
			});
			return envelopeWord({payload, signature: people[by].sign(signedText(payload), 'fleet-approval')});
		};

		const trailers = [`Fleet-Run: fix-${number}`, 'Requested-by: cy', 'Reviewed-by: bo'];
		const words = [word('request', 'cy'), word('approve', 'bo')].map(text => `Fleet-Statement: ${text}`);
		base = commit(tree, [base, head], number, `Merge run\n\n${[...trailers, ...words, 'Fleet-Verify: v'].join('\n')}`);
	}

	execFileSync('git', ['-C', repository, 'index-pack', '--stdin'], {
		input: pack.bytes(),
		stdio: ['pipe', 'ignore', 'pipe'],
	});
	execFileSync('git', ['-C', repository, 'update-ref', 'refs/heads/main', base]);
	return repository;
}

function timed(work: () => void): number {
	const began = performance.now();
	work();
	return performance.now() - began;
}

const thrice = (work: () => void) => median([1, 2, 3].map(() => timed(work)));

function check(repository: string): void {
	const text = execFileSync(process.execPath, [program, 'check', '--repo', repository, '--json'], {encoding: 'utf8'});
	if (JSON.parse(text).result !== 'holds') {
		throw new Error(text.slice(0, 1000));
	}
}

try {
	const [few, all] = [make(10), make(1)];
	const git = thrice(() => execFileSync('git', ['-C', all, 'fsck', '--full'], {stdio: 'ignore'}));
	add('git fsck of the second history', seconds(git));
	const own = path.join(folder, 'keys');
	mkdirSync(own);
	const signature = path.join(own, 'signature');
	writeFileSync(signature, people.bo.sign('x', 'fleet-approval'));
	const one = thrice(() =>
		execFileSync('ssh-keygen', ['-Y', 'check-novalidate', '-n', 'fleet-approval', '-s', signature], {
			input: 'x',
			stdio: ['pipe', 'ignore', 'ignore'],
		}),
	);
	add(
		"fleet check of 10,000 commits, every tenth a run's merge (2,000 signatures)",
		seconds(thrice(() => check(few))),
		'',
		'',
	);
	const whole = thrice(() => check(all));
	add(
		"fleet check of 10,000 commits, each a run's merge (20,000 signatures)",
		seconds(whole),
		`${(whole / git).toFixed(2)} × git fsck; ssh-keygen alone would take ${seconds(one * 2 * length)}`,
	);
	report(rows, process.argv.slice(2));
} finally {
	rmSync(folder, {recursive: true, force: true});
}
