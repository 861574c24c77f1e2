import path from 'node:path';
import {setTimeout} from 'node:timers/promises';
import * as v from 'valibot';
import {storedLoginSchema, type StoredLogin} from '../../core/secrets/login.ts';
import {shapeOf} from '../../core/secrets/pointer.ts';
import {parseProposals, proposalsPath, type Proposal} from '../../core/secrets/proposals.ts';
import type {Project} from '../../core/project.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {formatReference, secretClasses, type Binding, type Reference} from '../../core/secrets/secret.ts';
import type {Vault} from '../../core/seams.ts';
import type {Git} from '../../host/git.ts';
import {Lock} from '../../host/lock.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {parseOwn, readOwnFile} from '../own-file.ts';

/*
 * Names on one side, values on the other. The index (`secrets.json`) says what
 * there is and where it rests, and holds no value; a vault holds the value and,
 * beside it, what a person approved. Where the two differ, the vault's word counts.
 */

/** Where a value comes from: one of the vaults, typed at each use, or asked from outside. */
export type Store = 'keyring' | 'age' | 'session' | 'env' | 'cmd';

/** A secret as it is listed. No value. */
export type SecretEntry = {
	readonly reference: Reference;
	/** The project that it belongs to; undefined for a person's own. */
	readonly project?: string | undefined;
	readonly store: Store;
	/** For `env` and `cmd`: the variable, or the command line. */
	readonly source?: string | undefined;
	readonly binding: Binding;
	readonly shape: string;
	/** When it was last written, ISO 8601. */
	readonly changedAt: string;
	/** What a person calls the subscription whose login it is; undefined for a value that stays as it is. */
	readonly login?: string | undefined;
};

/** What a vault holds of a secret. */
export type Stored = {
	readonly value: string;
	readonly binding: Binding;
	readonly previous?: {readonly value: string; readonly until: string} | undefined;
	/** Of a login whose access token `value` is. */ readonly login?: StoredLogin | undefined;
};

const bindingSchema = v.looseObject({
	class: v.picklist(secretClasses),
	hosts: v.array(v.string()),
	headers: v.array(v.string()),
	methods: v.array(v.string()),
	paths: v.array(v.string()),
	environment: v.optional(v.string()),
	longest: v.optional(v.number()),
});

// Loose: what a later version writes beside it stays when the list is written again.
const entrySchema: v.GenericSchema<unknown, SecretEntry> = v.looseObject({
	reference: v.object({owner: v.picklist(['user', 'project']), name: v.string()}),
	project: v.optional(v.string()),
	store: v.picklist(['keyring', 'age', 'session', 'env', 'cmd']),
	source: v.optional(v.string()),
	binding: bindingSchema,
	shape: v.string(),
	changedAt: v.string(),
	login: v.optional(v.string()),
});

const storedSchema: v.GenericSchema<unknown, Stored> = v.looseObject({
	value: v.string(),
	binding: bindingSchema,
	previous: v.optional(v.object({value: v.string(), until: v.string()})),
	login: v.optional(storedLoginSchema),
});

/** How long a value that was replaced is still looked for in output. */
const rememberedMs = 7 * 86_400_000;

/**
 * The least length of a value, characters: a shorter one cannot
 * be told from a word, and so cannot be kept out of output.
 */
const shortestValue = 8;

function indexFile(context: Pick<Context, 'paths'>): string {
	return path.join(context.paths.config, 'secrets.json');
}

/** The name of an entry in a vault. */
function accountOf(entry: Pick<SecretEntry, 'reference' | 'project'>): string {
	return entry.reference.owner === 'user'
		? `user/${entry.reference.name}`
		: `project/${entry.project}/${entry.reference.name}`;
}

/** Every secret there is. @throws Refusal where the index cannot be read as such */
export function listSecrets(context: Pick<Context, 'paths'>): SecretEntry[] {
	const found = readOwnFile({
		file: indexFile(context),
		schema: v.array(entrySchema),
		what: 'a list of secrets',
		hint: 'mend or remove it, and add the secrets again; their values are in the vault',
	});
	return found ?? [];
}

/** The secret that a reference names, for a run or a person in `project`. */
export function findSecret(
	context: Pick<Context, 'paths'>,
	reference: Reference,
	project: string | undefined,
): SecretEntry | undefined {
	return listSecrets(context).find(
		entry =>
			entry.reference.owner === reference.owner &&
			entry.reference.name === reference.name &&
			(reference.owner === 'user' || entry.project === project),
	);
}

/** @throws Refusal where there is none of that name */
export function mustFindSecret(
	context: Pick<Context, 'paths'>,
	reference: Reference,
	project: string | undefined,
): SecretEntry {
	const found = findSecret(context, reference, project);
	if (!found) {
		const names = listSecrets(context)
			.filter(entry => entry.reference.owner === 'user' || entry.project === project)
			.map(entry => formatReference(entry.reference));
		throw new Refusal(
			`there is no secret ${formatReference(reference)}`,
			names.length === 0
				? `fleet secret add ${reference.name} --${reference.owner}`
				: `there are: ${names.slice(0, 8).join(', ')}`,
		);
	}

	return found;
}

async function locked<Result>(context: Context, work: () => Promise<Result>): Promise<Result> {
	let lock: Lock | undefined;
	// A supervisor that waits here has requests to pass on meanwhile.
	for (const end = Date.now() + 5000; !lock;) {
		lock = Lock.acquire(`${indexFile(context)}.lock`);
		if (!lock && Date.now() > end) {
			throw new Refusal('another fleet is writing the list of secrets', 'try again');
		}

		if (!lock) {
			await setTimeout(20);
		}
	}

	try {
		return await work();
	} finally {
		lock.release();
	}
}

async function changeIndex(
	context: Context,
	change: (entries: SecretEntry[]) => Promise<SecretEntry[]>,
): Promise<void> {
	await locked(context, async () => {
		const entries = await change(listSecrets(context));
		replaceFile(indexFile(context), `${JSON.stringify(entries, undefined, '\t')}\n`);
	});
}

/**
 * Changes what a vault holds of a secret, while nobody else writes it; the list stays as it is.
 * @throws Refusal where it cannot be read or written
 */
export async function changeStored(
	context: Context,
	entry: SecretEntry,
	change: (stored: Stored) => Stored,
): Promise<void> {
	await locked(context, async () => {
		const stored = change((await readStored(context, entry))!);
		await vaultOf(context, entry.store)!.write(accountOf(entry), JSON.stringify(stored));
	});
}

/** A value that was replaced, and how long it is still looked for in output. */
export function replaced(value: string): NonNullable<Stored['previous']> {
	return {value, until: new Date(Date.now() + rememberedMs).toISOString()};
}

/** The vault that holds a store; undefined where values are not kept. */
export function vaultOf(context: Context, store: Store): Vault | undefined {
	return context.vaults.find(vault => vault.id === store);
}

/**
 * A secret as its vault holds it; undefined where no vault does.
 * @throws Refusal where the value is lost
 */
export async function readStored(context: Context, entry: SecretEntry): Promise<Stored | undefined> {
	const vault = vaultOf(context, entry.store);
	if (!vault) {
		return undefined;
	}

	const text = await vault.read(accountOf(entry));
	if (text === undefined) {
		throw new Refusal(
			`${vault.title} holds no value for ${formatReference(entry.reference)}`,
			`fleet secret add ${entry.reference.name} --${entry.reference.owner} again`,
		);
	}

	const stored = parseOwn(storedSchema, text);
	if (stored === undefined) {
		throw new Refusal(
			`what ${vault.title} holds for ${formatReference(entry.reference)} cannot be read`,
			`fleet secret add ${entry.reference.name} --${entry.reference.owner} again`,
		);
	}

	return stored;
}

/** Writes a secret: its value to the vault, with what was approved beside it, and its name to the index. */
export async function addSecret(
	context: Context,
	entry: Omit<SecretEntry, 'shape' | 'changedAt'>,
	kept: string | {readonly value: string; readonly login: StoredLogin} | undefined,
): Promise<SecretEntry> {
	const {value, login} = typeof kept === 'object' ? kept : {value: kept, login: undefined};
	if (value !== undefined) {
		checkValue(value);
	}

	const made: SecretEntry = {
		...entry,
		shape: value === undefined ? 'plain' : shapeOf(value),
		changedAt: new Date().toISOString(),
		login: login?.name,
	};
	await changeIndex(context, async entries => {
		const vault = vaultOf(context, entry.store);
		if (vault) {
			const known = entries.find(other => accountOf(other) === accountOf(made) && other.store === made.store);
			let before: Stored | undefined;
			try {
				before = known && (await readStored(context, known));
			} catch {
				// A value that is lost, or cannot be read, is put right by adding the secret again: none is remembered.
			}

			const previous = before && before.value !== value ? replaced(before.value) : before?.previous;
			await vault.write(
				accountOf(made),
				JSON.stringify({value: value!, binding: made.binding, previous, login} satisfies Stored),
			);
		}

		return [...entries.filter(other => accountOf(other) !== accountOf(made)), made].sort((a, b) =>
			accountOf(a).localeCompare(accountOf(b)),
		);
	});
	return made;
}

/** @throws Refusal for a value that cannot be kept out of what a run shows */
export function checkValue(value: string): void {
	if (value.length < shortestValue) {
		throw new Refusal(
			value === ''
				? 'no value was given'
				: `a value of fewer than ${shortestValue} characters cannot be told from a word in output`,
			'type it when asked, or write it to stdin',
		);
	}

	if (/[\u0000-\u001F\u007F]/.test(value)) {
		throw new Refusal('the value holds a line end or a control byte, which no header can carry', 'give one line');
	}
}

/** Changes where a secret may be used, and leaves its value. */
export async function rebindSecret(context: Context, entry: SecretEntry, binding: Binding): Promise<void> {
	await changeIndex(context, async entries => {
		const stored = await readStored(context, entry);
		if (stored) {
			await vaultOf(context, entry.store)!.write(
				accountOf(entry),
				JSON.stringify({...stored, binding} satisfies Stored),
			);
		}

		return entries.map(other => (accountOf(other) === accountOf(entry) ? {...other, binding} : other));
	});
}

/** Takes a secret away, from the vault first. */
export async function removeSecret(context: Context, entry: SecretEntry): Promise<void> {
	await changeIndex(context, async entries => {
		await vaultOf(context, entry.store)?.remove(accountOf(entry));
		return entries.filter(other => accountOf(other) !== accountOf(entry));
	});
}

/** The secrets that a commit of the project proposes. */
export async function readProposals(git: Git, commit: string): Promise<ReadonlyMap<string, Proposal>> {
	const blob = await git.resolve(`${commit}:${proposalsPath}`);
	if (!blob) {
		return new Map();
	}

	const {stdout} = await git.run(['cat-file', 'blob', blob], {limit: 1024 ** 2});
	return orThrow(parseProposals(stdout));
}

/** Who a project is, for its own secrets. */
export function projectOf(reference: Reference, project: Pick<Project, 'id'> | undefined): string | undefined {
	if (reference.owner === 'user') {
		return undefined;
	}

	if (!project) {
		throw new Refusal(
			"this folder belongs to no project, and a project's secret needs one",
			'fleet project add ., or --user',
		);
	}

	return project.id;
}
