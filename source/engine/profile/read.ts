import {createHash} from 'node:crypto';
import {realpathSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import {isWithin} from '../../core/places.ts';
import {tokenOf, type ProfileFile, type ProfileLayout, type ProfilePlace, type Settings} from '../../core/profile.ts';
import {settingsText} from '../../core/profile-settings.ts';
import {Refusal} from '../../core/refusal.ts';
import {holdsValue} from '../../core/secrets/redact.ts';
import {findSuspects} from '../../core/secrets/suspects.ts';
import type {Agent} from '../../core/seams.ts';
import {homeFolder} from '../../host/person.ts';
import {ownStatusOf} from '../../host/status.ts';
import type {Context} from '../context.ts';
import {knownValue} from '../grants/secret-values.ts';
import {listSecrets} from '../grants/secrets.ts';
import {readPlain} from '../project/include.ts';
import {logins} from '../sandbox/tools.ts';
import {ProfileWalk, TooMany, type FoundFile, type LeftOut} from './walk.ts';

/* A person's profile of an agent, as it lies on the host now. Nothing is written there, ever. */

const maxFiles = 1000;
const maxFileBytes = 1024 ** 2;
const maxBytes = 8 * 1024 ** 2;

/** A file with what it holds. */
export type ProfileContent = ProfileFile & {readonly text: string};

export type Profile = {
	/** A name for exactly this list. */
	readonly digest: string;
	/** By path; settings last, with the text of what is kept of them. */
	readonly files: readonly ProfileContent[];
	/** What is kept of the settings; empty where there is nothing. */
	readonly settings: Settings;
	/** What is there and does not go in: a file with what looks like a secret, hooks, logins, history. */
	readonly left: readonly LeftOut[];
};

/** Whose profile it is: their HOME, and the variables that move a part of it. */
export type ProfileHome = {readonly home: string; readonly environment: NodeJS.ProcessEnv};

/** Where a path below HOME lies on this machine: variables of the agent move some of them. */
export function placeOnHost(
	{moved}: Pick<ProfileLayout, 'moved'>,
	name: string,
	{home, environment}: ProfileHome,
): {readonly root: string; readonly below: string} {
	const plain = name.replace(/\/$/, '');
	for (const {folder, variable, below = ''} of moved) {
		const value = environment[variable];
		if (value !== undefined && path.isAbsolute(value) && (plain === folder || plain.startsWith(`${folder}/`))) {
			return {root: value, below: path.join(below, plain.slice(folder.length))};
		}
	}

	return {root: home, below: plain};
}

/** Whether anything is at a path below HOME. */
function isThere(layout: ProfileLayout, name: string, where: ProfileHome): boolean {
	const {root, below} = placeOnHost(layout, name, where);
	return ownStatusOf(path.join(root, below)) !== undefined;
}

/** The values of every secret that can be read without asking, whoever's it is. */
async function everyValue(context: Context): Promise<readonly string[]> {
	return (await Promise.all(listSecrets(context).map(entry => knownValue(context, entry)))).flat();
}

/** Places that no link of a profile may lead to. */
function heldPlaces(context: Pick<Context, 'paths' | 'agents'>, layout: ProfileLayout, home: string): string[] {
	const {state, worktrees, config, runtime} = context.paths;
	const own = [state, worktrees, config, runtime];
	// A whole folder that is guarded for what lies in it, and that the profile's places lie in, too.
	const isAbove = (name: string) => layout.places.some(place => isWithin(place.path, name));
	const kept = [
		...logins,
		...context.agents.flatMap(agent => agent.logins?.paths ?? []),
		...layout.never.map(({path: name}) => name),
	].filter(name => !isAbove(name));
	return [...own, ...kept.map(name => path.join(home, name))].flatMap(place => {
		try {
			return [place, realpathSync(place)];
		} catch {
			// What is not there has its own name alone.
			return [place];
		}
	});
}

const decoder = new TextDecoder('utf-8', {fatal: true});

/** The text of some bytes; undefined where they are none. */
function textOf(bytes: Uint8Array): string | undefined {
	try {
		return bytes.includes(0) ? undefined : decoder.decode(bytes);
	} catch {
		return undefined;
	}
}

/** The first line that holds a value of the vault, or what looks like a secret. */
function secretIn(name: string, text: string, known: readonly string[]): string | undefined {
	const lines = text.split('\n');
	if (holdsValue(known, text)) {
		const at = lines.findIndex(line => holdsValue(known, line));
		return `line ${Math.max(0, at) + 1} holds the value of a secret of the vault`;
	}

	const [suspect] = findSuspects(
		name,
		lines.map((line, index) => ({number: index + 1, text: line})),
	);
	return suspect && `line ${suspect.line} looks like a secret (${suspect.rule}): ${suspect.span}`;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Reads a file that was found. @returns why it is left out, where it is */
function readFound(found: FoundFile, known: readonly string[]): ProfileContent | LeftOut {
	const {path: name, place, real, linked} = found;
	const bytes = readPlain(path.dirname(real), path.basename(real));
	if (bytes === undefined) {
		return {path: name, because: 'it changed while it was read'};
	}

	if (bytes.length > maxFileBytes) {
		return {path: name, because: `larger than ${maxFileBytes / 1024 ** 2} MiB`};
	}

	const text = textOf(bytes);
	if (text === undefined) {
		return {path: name, because: 'not text', expected: true};
	}

	const secret = secretIn(name, text, known);
	if (secret !== undefined) {
		return {path: name, because: secret};
	}

	return {
		path: name,
		kind: place.kind,
		size: bytes.length,
		sha256: sha256(text),
		executable: ((ownStatusOf(real)?.mode ?? 0) & 0o100) !== 0,
		real: linked ? real : undefined,
		text,
	};
}

/** What is kept of the settings file that is there. */
function readSettings(
	layout: ProfileLayout,
	where: ProfileHome,
	{walkOf, known}: {readonly walkOf: () => ProfileWalk; readonly known: readonly string[]},
): {readonly file?: ProfileContent; readonly settings: Settings; readonly left: readonly LeftOut[]} {
	const {paths, target, keep} = layout.settings;
	for (const name of paths) {
		const {root, below} = placeOnHost(layout, name, where);
		const walk = walkOf();
		walk.look({path: name, kind: 'settings'}, root, below);
		const [found] = walk.files;
		if (!found) {
			if (walk.left.length > 0) {
				return {settings: {}, left: walk.left};
			}

			continue;
		}

		const bytes = readPlain(path.dirname(found.real), path.basename(found.real));
		const text = bytes && bytes.length <= maxFileBytes ? textOf(bytes) : undefined;
		const kept = text === undefined ? undefined : keep(text);
		if (!kept) {
			return {settings: {}, left: [{path: name, because: 'not a settings file that can be read'}]};
		}

		const left = kept.left.map(key => ({
			path: `${name}: ${key}`,
			because: 'not one of the settings that go in',
			expected: true,
		}));
		if (Object.keys(kept.kept).length === 0) {
			return {settings: {}, left};
		}

		const own = settingsText(kept.kept);
		const secret = secretIn(name, own, known);
		if (secret !== undefined) {
			return {settings: {}, left: [{path: name, because: secret}]};
		}

		const file: ProfileContent = {
			path: target,
			kind: 'settings',
			size: own.length,
			sha256: sha256(own),
			executable: false,
			real: found.linked ? found.real : undefined,
			text: own,
		};
		return {file, settings: kept.kept, left};
	}

	return {settings: {}, left: []};
}

function tooMuch(agent: Agent, what: string): Refusal {
	return new Refusal(
		`your profile of ${agent.title} holds more than ${what}`,
		'take out what no run needs; or start without it: fleet run --no-profile',
	);
}

/**
 * Reads a person's profile of an agent.
 * @returns undefined where there is nothing of it that could go in, and nothing to say about it
 * @throws Refusal where it is larger than a profile may be
 */
export async function readProfile(
	context: Context,
	agent: Agent,
	where: ProfileHome = {home: homeFolder(), environment: process.env},
): Promise<Profile | undefined> {
	const layout = agent.profile;
	if (!layout) {
		return undefined;
	}

	const held = heldPlaces(context, layout, where.home);
	const walk = new ProfileWalk(held);
	try {
		for (const place of layout.places) {
			const {root, below} = placeOnHost(layout, place.path, where);
			walk.look(place, root, below);
		}
	} catch (error) {
		if (error instanceof TooMany) {
			throw tooMuch(agent, `${maxFiles} files`);
		}

		throw error;
	}

	if (walk.files.length > maxFiles) {
		throw tooMuch(agent, `${maxFiles} files`);
	}

	const isEmpty = walk.files.length === 0 && !layout.settings.paths.some(name => isThere(layout, name, where));
	const known = isEmpty ? [] : await everyValue(context);
	const files: ProfileContent[] = [];
	const left: LeftOut[] = [...walk.left];
	let bytes = 0;
	for (const found of walk.files) {
		const one = readFound(found, known);
		if ('text' in one) {
			bytes += one.size;
			files.push(one);
		} else {
			left.push(one);
		}

		if (bytes > maxBytes) {
			throw tooMuch(agent, `${maxBytes / 1024 ** 2} MiB`);
		}
	}

	const settings = readSettings(layout, where, {walkOf: () => new ProfileWalk(held), known});
	files.sort((a, b) => (a.path < b.path ? -1 : 1));
	const all = settings.file ? [...files, settings.file] : files;
	left.push(...settings.left, ...neverOf(layout, where));
	return all.length === 0 && left.length === 0
		? undefined
		: {digest: digestOf(all), files: all, settings: settings.settings, left};
}

/** What lies beside a profile and never goes in, as far as it is there. */
function neverOf(layout: ProfileLayout, where: ProfileHome): LeftOut[] {
	return layout.never
		.filter(({path: name}) => isThere(layout, name, where))
		.map(({path: name, because}) => ({path: name, because, expected: true}));
}

/** A name for a list of files: their paths, what they hold, and where they lie. */
export function digestOf(files: readonly ProfileFile[]): string {
	return sha256(JSON.stringify(files.map(file => [file.path, tokenOf(file)])));
}

/** The kinds that a profile has, with how many files of each: `instructions 1, skill 3`. */
export function kindsText(files: readonly ProfileFile[]): string {
	const counts = new Map<ProfilePlace['kind'], number>();
	for (const {kind} of files) {
		counts.set(kind, (counts.get(kind) ?? 0) + 1);
	}

	return [...counts].map(([kind, count]) => `${kind} ${count}`).join(', ');
}
