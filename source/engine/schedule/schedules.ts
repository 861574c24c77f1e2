import {createHash} from 'node:crypto';
import {existsSync, mkdirSync, readdirSync, rmSync} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import {isName, printable} from '../../core/names.ts';
import {orThrow, Refusal} from '../../core/refusal.ts';
import {cronLine, entryIn, withEntry, withoutEntry} from '../../core/schedule/crontab.ts';
import {Lock} from '../../host/lock.ts';
import {replaceFile} from '../../host/write.ts';
import type {Context} from '../context.ts';
import {readOwnFile} from '../own-file.ts';
import {readCrontab, writeCrontab} from './crontab.ts';

type Places = Pick<Context, 'paths'>;

const schedule = v.strictObject({
	name: v.string(),
	cron: v.string(),
	project: v.string(),
	/** The command line of `fleet run`. */
	argv: v.array(v.string()),
	/** What of the person's environment it starts with: cron's has neither their search path nor their session. */
	env: v.record(v.string(), v.string()),
	createdAt: v.string(),
});

const last = v.strictObject({
	at: v.string(),
	outcome: v.picklist(['started', 'skipped', 'failed']),
	/** The run that was started, or that was still going on. */
	run: v.nullable(v.string()),
	because: v.string(),
});

/** What starts by itself, and when. */
export type Schedule = v.InferOutput<typeof schedule>;

/** What came of it the last time. `skipped`: the run before was still going on. */
export type LastTime = v.InferOutput<typeof last>;

/** Variables that a run needs of the person's session. */
const kept = [
	'PATH',
	'LANG',
	'LC_ALL',
	'USER',
	'LOGNAME',
	'FLEET_HOME',
	'XDG_CONFIG_HOME',
	'XDG_STATE_HOME',
	'XDG_DATA_HOME',
	'XDG_RUNTIME_DIR',
	'DBUS_SESSION_BUS_ADDRESS',
];

/** What is to be set before fleet finds its own state. */
const first = ['FLEET_HOME', 'XDG_CONFIG_HOME', 'XDG_STATE_HOME', 'XDG_DATA_HOME', 'XDG_RUNTIME_DIR'];

/** This environment's part that a schedule keeps. */
export function keptEnvironment(): Record<string, string> {
	return Object.fromEntries(kept.flatMap(name => (process.env[name] ? [[name, process.env[name]]] : [])));
}

const folderOf = ({paths}: Places) => path.join(paths.config, 'schedules');
const fileOf = (places: Places, name: string) => path.join(folderOf(places), `${name}.json`);
const lastOf = (places: Places, name: string) => path.join(folderOf(places), `${name}.last.json`);

/** Tells the lines of one state folder from those of another, in one crontab. */
const placeOf = ({paths}: Places) => createHash('sha256').update(paths.config).digest('hex').slice(0, 8);

const damaged = 'fleet schedule remove NAME takes it away; then make it anew';

/** All of them, by name. */
export function listSchedules(places: Places): readonly Schedule[] {
	let names: string[];
	try {
		names = readdirSync(folderOf(places));
	} catch {
		return [];
	}

	return names
		.map(name => name.replace(/\.json$/, ''))
		.filter(name => isName(name))
		.sort()
		.flatMap(
			name => readOwnFile({file: fileOf(places, name), schema: schedule, what: 'a schedule', hint: damaged}) ?? [],
		);
}

/** @throws Refusal where there is none of that name */
export function findSchedule(places: Places, name: string): Schedule {
	const found = isName(name)
		? readOwnFile({file: fileOf(places, name), schema: schedule, what: 'a schedule', hint: damaged})
		: undefined;
	if (!found) {
		throw new Refusal(`there is no schedule "${printable(name)}"`, 'fleet schedule list');
	}

	return found;
}

/** What came of it the last time; undefined before the first. */
export function lastTime(places: Places, name: string): LastTime | undefined {
	return readOwnFile({file: lastOf(places, name), schema: last, what: 'what came of a schedule', hint: damaged});
}

export function noteLast(places: Places, name: string, found: LastTime): void {
	replaceFile(lastOf(places, name), `${JSON.stringify(found, undefined, '\t')}\n`);
}

/** The command of its line: this very program, by absolute paths. */
function commandOf(name: string): readonly string[] {
	const set = first.flatMap(variable => (process.env[variable] ? [`${variable}=${process.env[variable]}`] : []));
	return ['/usr/bin/env', ...set, process.execPath, path.resolve(process.argv[1]!), 'schedule', 'run', name];
}

/** Changes the crontab, one process of fleet's after the other. */
function changeCrontab(places: Places, change: (text: string) => string): void {
	mkdirSync(folderOf(places), {recursive: true, mode: 0o700});
	const lock = Lock.acquire(path.join(folderOf(places), 'crontab.lock'), 10_000);
	if (!lock) {
		throw new Refusal('another process changes the crontab', 'wait for it, and try again');
	}

	try {
		const before = readCrontab();
		const after = change(before);
		if (after !== before) {
			writeCrontab(after);
		}
	} finally {
		lock.release();
	}
}

/** Keeps a schedule, and puts its line into the crontab. The same again changes nothing. */
export function saveSchedule(places: Places, wanted: Schedule): void {
	const {name, cron} = wanted;
	const place = placeOf(places);
	const line = orThrow(cronLine({cron, name, place}, commandOf(name)));
	mkdirSync(folderOf(places), {recursive: true, mode: 0o700});
	const isNew = !existsSync(fileOf(places, name));
	replaceFile(fileOf(places, name), `${JSON.stringify(wanted, undefined, '\t')}\n`);
	try {
		// Bytes of the line, as the rest of the crontab is.
		changeCrontab(places, text => withEntry(text, {name, place, line: Buffer.from(line).toString('latin1')}));
	} catch (error) {
		if (isNew) {
			rmSync(fileOf(places, name), {force: true});
		}

		throw error;
	}
}

/** Takes a schedule away, its line first. Runs that it started stay. @throws Refusal where there is none */
export function removeSchedule(places: Places, name: string): void {
	if (!isName(name) || !existsSync(fileOf(places, name))) {
		throw new Refusal(`there is no schedule "${printable(name)}"`, 'fleet schedule list');
	}

	changeCrontab(places, text => withoutEntry(text, name, placeOf(places)));
	rmSync(fileOf(places, name), {force: true});
	rmSync(lastOf(places, name), {force: true});
}

/** Whether each schedule's line is in the crontab, by name; undefined where that cannot be read. */
export function entries(places: Places, names: readonly string[]): Readonly<Record<string, boolean>> | undefined {
	try {
		const text = readCrontab();
		return Object.fromEntries(names.map(name => [name, entryIn(text, name, placeOf(places)) !== undefined]));
	} catch {
		return undefined;
	}
}

/** Runs it alone. @returns undefined where its time came twice, and the first is not over */
export async function alone<Result>(
	places: Places,
	name: string,
	work: () => Promise<Result>,
): Promise<Result | undefined> {
	const lock = Lock.acquire(path.join(folderOf(places), `${name}.lock`));
	try {
		return lock && (await work());
	} finally {
		lock?.release();
	}
}
