import {spawn} from 'node:child_process';
import process from 'node:process';
import {orThrow, Refusal} from '../../core/refusal.ts';
import type {Vault} from '../../core/seams.ts';
import type {StoredLogin} from '../../core/secrets/login.ts';
import {shapeOf} from '../../core/secrets/pointer.ts';
import {formatReference, type Binding} from '../../core/secrets/secret.ts';
import {splitWords} from '../../core/text/shell-words.ts';
import type {Context} from '../context.ts';
import {freshen} from '../logins/vault-login.ts';
import {checkValue, listSecrets, readStored, vaultOf, type SecretEntry, type Stored} from './secrets.ts';

/* Values of secrets, for the moment of a grant, a deploy, a check, or a look whether they are somewhere. */

/** What a supervisor is handed for one scope. Lives in memory alone. */
export type HandedSecret = {
	readonly scope: string;
	readonly reference: string;
	readonly binding: Binding & {readonly class: 'model' | 'task'};
	readonly shape: string;
	readonly value: string;
	/** The value before, while it may still turn up somewhere. */ readonly previous?: string | undefined;
	/** Of a subscription's login; `value` is its access token as it was then. */
	readonly login?: HandedLogin | undefined;
};

/** What a supervisor is handed of a login besides: not what it is refreshed with, which stays in the vault. */
export type HandedLogin = Pick<StoredLogin, 'name' | 'title' | 'account' | 'plan' | 'until' | 'made'>;

/** The same for a project's setup. */
export type SetupSecret = Omit<HandedSecret, 'binding'> & {readonly binding: Binding & {readonly class: 'setup'}};

/** What a command prints, the first line of it; for `cmd:` sources. */
function runSource(argv: readonly string[]): Promise<string> {
	return new Promise((resolve, reject) => {
		const child = spawn(argv[0]!, argv.slice(1), {stdio: ['inherit', 'pipe', 'inherit'], timeout: 60_000});
		let out = '';
		child.stdout.setEncoding('utf8').on('data', (text: string) => {
			out += text;
		});
		child.once('error', error =>
			reject(new Refusal(`the secret's command could not be started: ${error.message}`, argv.join(' '))),
		);
		child.once('close', code =>
			code === 0
				? resolve(out.split('\n')[0]!)
				: reject(new Refusal(`the secret's command ended with ${code ?? 'a signal'}`, argv.join(' '))),
		);
	});
}

/** The value of a secret and what was approved for it. Only for the moment of a grant, a deploy or a check. */
export async function resolveSecret(context: Context, entry: SecretEntry): Promise<Stored> {
	const title = formatReference(entry.reference);
	let stored: Stored;
	switch (entry.store) {
		case 'keyring':
		case 'age': {
			stored = (await readStored(context, entry))!;
			break;
		}

		case 'env': {
			stored = {value: process.env[entry.source!] ?? '', binding: entry.binding};
			if (stored.value === '') {
				throw new Refusal(
					`${title} comes from the variable ${entry.source}, which is not set here`,
					`set ${entry.source}, or fleet secret add ${entry.reference.name} with a store`,
				);
			}

			break;
		}

		case 'cmd': {
			stored = {value: await runSource(orThrow(splitWords(entry.source!))), binding: entry.binding};
			break;
		}

		case 'session': {
			stored = {value: await context.ask(`${title} (for this run alone, hidden): `), binding: entry.binding};
			break;
		}
	}

	checkValue(stored.value);
	return stored;
}

/** A secret for the supervisor of a run. @throws Refusal for one that is for deploys or for setups alone */
export async function handSecret(context: Context, entry: SecretEntry, scope: string): Promise<HandedSecret> {
	const title = formatReference(entry.reference);
	if (entry.binding.class === 'deploy') {
		throw forDeploys(entry);
	}

	const {value, binding, previous, login} = await freshOf(context, entry, await resolveSecret(context, entry));
	const {class: kind} = binding;
	// The vault's word counts: who changed the index changed nothing.
	if (kind === 'deploy') {
		throw forDeploys(entry);
	}

	if (kind === 'setup') {
		throw new Refusal(`${title} is for the project's setup, and no run is given it`, 'fleet secret list');
	}

	return {
		scope,
		...handed(title, {value, previous}),
		binding: {...binding, class: kind},
		...(login ? {login: handedLogin(login)} : {}),
	};
}

const handedLogin = ({name, title, account, plan, until, made}: StoredLogin): HandedLogin => ({
	name,
	title,
	account,
	plan,
	until,
	made,
});

/** A login's newest access token: one that is at its end is no use to who starts now. Others are as they are. */
async function freshOf(context: Context, entry: SecretEntry, stored: Stored): Promise<Stored> {
	if (!stored.login) {
		return stored;
	}

	await freshen(context, entry, stored.login.title);
	return (await readStored(context, entry))!;
}

/** A secret for a project's setup. @throws Refusal for any other class */
export async function handSetupSecret(context: Context, entry: SecretEntry): Promise<SetupSecret> {
	const {reference} = entry;
	const title = formatReference(reference);
	const {value, binding, previous} = await resolveSecret(context, entry);
	const {class: kind} = binding;
	if (kind !== 'setup') {
		throw new Refusal(
			`${title} is a ${kind} secret, and setup takes one for setup`,
			`fleet secret add ${reference.name} --project --class setup --host HOST`,
		);
	}

	const scope = `secret:${reference.owner}/${reference.name}`;
	return {scope, ...handed(title, {value, previous}), binding: {...binding, class: kind}};
}

function forDeploys({reference}: SecretEntry): Refusal {
	const title = formatReference(reference);
	return new Refusal(
		`${title} is a deploy secret, which no run is ever given`,
		`a person uses it: fleet deploy RUN TARGET --credential NAME=${title}`,
	);
}

function handed(reference: string, {value, previous}: Pick<Stored, 'value' | 'previous'>) {
	return {
		reference,
		shape: shapeOf(value),
		value,
		previous: previous && Date.parse(previous.until) > Date.now() ? previous.value : undefined,
	};
}

const open = new WeakMap<Vault, Promise<boolean>>();

/** Whether a vault answers without asking; looked at once in a process. */
function isOpen(vault: Vault): Promise<boolean> {
	const known = open.get(vault) ?? vault.probe().then(({state}) => state === 'unlocked');
	open.set(vault, known);
	return known;
}

/**
 * The values of a secret, as far as they can be read without asking
 * anybody: for looking whether they are somewhere. Empty where they cannot.
 */
export async function knownValue(context: Context, entry: SecretEntry): Promise<string[]> {
	const vault = vaultOf(context, entry.store);
	if (entry.store === 'session' || entry.store === 'cmd' || (vault && !(await isOpen(vault)))) {
		return [];
	}

	try {
		const {value, previous, login} = await resolveSecret(context, entry);
		return [value, previous?.value, login?.refresh, login?.account?.value].filter(text => text !== undefined);
	} catch {
		// What cannot be read cannot be looked for; fleet secret check says so.
		return [];
	}
}

/** All of them, for a project. */
export async function knownValues(context: Context, project: string | undefined): Promise<string[]> {
	const values: string[] = [];
	for (const entry of listSecrets(context)) {
		if (entry.project === undefined || entry.project === project) {
			values.push(...(await knownValue(context, entry)));
		}
	}

	return values;
}
